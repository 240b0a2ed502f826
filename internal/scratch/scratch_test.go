package scratch_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/scratch"
)

func TestSweepRemovesWhatThisProcessMade(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir, err := scratch.Dir()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	other := filepath.Join(os.TempDir(), "panelgate-1-another")
	require.NoError(t, os.Mkdir(other, 0o700))
	require.NoError(t, scratch.Sweep())
	assert.NoDirExists(t, dir)
	assert.DirExists(t, other, "it is another process'")
}
