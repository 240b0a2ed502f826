package drift

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What the stack's own release does not break does not go on up to it, though no release in between was tried.
func TestBrokenEndsBeforeTheStacksOwn(t *testing.T) {
	needs(t, "triton", "22.01", "22.12")
	const pending = `sum(nv_inference_pending_request_count)`
	r := run(t, load(t, panels(pending, `nv_inference_nothing`), nil), Axis{"triton", []string{"22.01", "22.12"}})
	assert.Equal(t, "22.01–22.12 broken", says(r.Exporters[0], pending))
	assert.Equal(t, "22.01– broken at its own", says(r.Exporters[0], `nv_inference_nothing`))
}
