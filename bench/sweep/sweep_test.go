package sweep

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const written = `{"title": "Board", "time": {"from": "now-6h"}, "panels": [
  {"title": "Rate", "targets": [{"refId": "A", "expr": "rate(some_total{job=~\"$job\"}[$__rate_interval])"}]},
  {"title": "Row", "type": "row", "panels": [{"title": "Gone", "targets": [{"refId": "B", "expr": "avg_over_time(gone[${window}])"}]}]}
], "templating": {"list": [
  {"name": "job", "type": "query", "current": {"value": ["$__all"]}},
  {"name": "window", "type": "interval", "current": {"value": "5m"}}
]}}`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "board.json"), []byte(written), 0o644))
	var asked []string
	prom := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		expr := r.FormValue("query")
		asked = append(asked, expr+" step "+r.FormValue("step"))
		result := `[{"metric": {}, "values": [[1, "1"]]}]`
		if expr == "avg_over_time(gone[5m])" {
			result = `[]`
		}
		_, _ = w.Write([]byte(`{"status": "success", "data": {"resultType": "matrix", "result": ` + result + `}}`))
	}))
	defer prom.Close()

	r, err := Run(t.Context(), dir, prom.URL, 0)
	require.NoError(t, err)
	assert.Equal(t, 2, r.Targets)
	assert.Equal(t, 2, r.Asked)
	assert.Equal(t, []string{"Board › Gone › B"}, r.Empty)
	assert.Empty(t, r.Failed)
	assert.Equal(t, []string{`rate(some_total{job=~".+"}[1m]) step 15`, `avg_over_time(gone[5m]) step 15`}, asked)

	r, err = Run(t.Context(), dir, prom.URL, time.Nanosecond)
	require.NoError(t, err)
	assert.Zero(t, r.Asked, "the time was over before the first")
	assert.Equal(t, 2, r.Targets)

	prom.Close()
	r, err = Run(t.Context(), dir, prom.URL, 0)
	require.NoError(t, err)
	assert.Len(t, r.Failed, 2)
}
