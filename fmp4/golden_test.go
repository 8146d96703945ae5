package fmp4

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// requireGolden compares got with testdata/name.
func requireGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// dump is the box tree as the box library reads it back from bytes.
func dump(t *testing.T, b []byte) []byte {
	t.Helper()
	file, err := mp4.DecodeFile(bytes.NewReader(b))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, file.Info(&out, "all:1", "", "  "))
	return out.Bytes()
}
