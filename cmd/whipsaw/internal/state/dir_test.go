package state

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	d, err := Open(path)
	require.NoError(t, err)
	b, err := d.Load("live")
	require.NoError(t, err)
	require.Nil(t, b)
	require.NoError(t, d.Save("live", []byte("one")))
	require.NoError(t, d.Save("live", []byte("two")))
	require.NoError(t, d.Save("other", []byte("three")))
	b, err = d.Load("live")
	require.NoError(t, err)
	require.Equal(t, "two", string(b))
	require.NoError(t, d.Delete("live"))
	require.NoError(t, d.Delete("live"), "what is gone may be deleted again")
	b, err = d.Load("live")
	require.NoError(t, err)
	require.Nil(t, b)
	list, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Len(t, list, 1, "nothing is left over")
}

func TestOpenRefusesWhatItCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(filepath.Join(file, "below"))
	require.Error(t, err)
}
