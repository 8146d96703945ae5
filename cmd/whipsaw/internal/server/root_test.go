package server

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAsRoot(t *testing.T) {
	none := func(string) string { return "" }
	file := func(path string) func(string) bool { return func(p string) bool { return p == path } }
	require.True(t, asRoot(0, file(""), none))
	require.False(t, asRoot(1000, file(""), none))
	require.False(t, asRoot(-1, file(""), none), "where there are no such numbers")
	require.False(t, asRoot(0, file("/.dockerenv"), none))
	require.False(t, asRoot(0, file("/run/.containerenv"), none))
	require.False(t, asRoot(0, file(""), func(name string) string { return map[string]string{"container": "podman"}[name] }))
	require.True(t, exists("root.go"))
	require.False(t, exists("nothing"))
}
