package picture

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNamesAreSafeAndDifferent(t *testing.T) {
	n := names{}
	for _, tt := range []struct{ of, want string }{
		{"triton", "triton.png"},
		{"triton", "triton-2.png"},
		{"Triton", "Triton-3.png"},
		{"triton-2", "triton-2-2.png"},
		{"../../etc/passwd", "etc-passwd.png"},
		{`..\..\boot.ini`, "boot.ini.png"},
		{"..", "dashboard.png"},
		{"", "dashboard-2.png"},
		{"äöü/日本", "dashboard-3.png"},
		{"a\x00b\nc\x1b[31m", "a-b-c-31m.png"},
		{".hidden", "hidden.png"},
		{"nul", "_nul.png"},
		{"COM1.x", "_COM1.x.png"},
		{strings.Repeat("x", 300), strings.Repeat("x", 100) + ".png"},
		{strings.Repeat("x", 301), strings.Repeat("x", 100) + "-2.png"},
	} {
		assert.Equal(t, tt.want, n.file(tt.of), "%q", tt.of)
	}
}

func TestImagesAreCalledAfterTheirDashboards(t *testing.T) {
	assert.Equal(t, "uid", called("uid", "boards/gpu.json"))
	assert.Equal(t, "gpu", called("", "boards/gpu.json"))
	assert.Equal(t, "gpu", called("", `boards\gpu.json`))
}

func TestNoImageLeavesItsDirectory(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "new", "images")
	require.Error(t, write(dir, "../out.png", nil))
	require.NoError(t, write(dir, "in.png", []byte("x")))
	require.NoError(t, write(dir, "in.png", []byte("again")))
	data, err := os.ReadFile(filepath.Join(dir, "in.png"))
	require.NoError(t, err)
	assert.Equal(t, "again", string(data))
	require.NoFileExists(t, filepath.Join(parent, "new", "out.png"))

	require.NoError(t, os.Symlink(filepath.Join(parent, "elsewhere.png"), filepath.Join(dir, "link.png")))
	require.Error(t, write(dir, "link.png", []byte("x")))
	require.NoFileExists(t, filepath.Join(parent, "elsewhere.png"))
}
