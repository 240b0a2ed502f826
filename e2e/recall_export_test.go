package e2e

import (
	"encoding/hex"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/kept"
)

// RewriteKept puts other content into every entry of a cache, under its own key.
func RewriteKept(t *testing.T, dir string, edit func([]byte) []byte) {
	t.Helper()
	store, err := kept.Open(dir, 0)
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(dir, "v1", "*", "*"))
	require.NoError(t, err)
	for _, file := range files {
		var key kept.Key
		_, err := hex.Decode(key[:], []byte(filepath.Base(file)))
		require.NoError(t, err)
		data, _, err := store.Get(key)
		require.NoError(t, err)
		require.NoError(t, store.Put(key, edit(data)))
	}
	require.NoError(t, store.Close())
}
