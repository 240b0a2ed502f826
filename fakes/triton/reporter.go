package triton

import (
	"slices"
	"time"

	"github.com/panelgate/panelgate/fakes"
)

// series is a label set of a model, which Triton calls a reporter. A model has one; a model loaded onto a GPU after start-up has two
// since 23.09, as Triton then makes one reporter for the model and one for its instance on the GPU.
type series struct {
	model   *fakes.Model
	index   int // into snapshot.models, or into snapshot.gpus
	labels  []label
	waiting bool         // this set's gauges move; the others' stay 0
	counts  bool         // this set's counters move
	reason  fakes.Reason // in nv_inference_request_failure

	from, to time.Time // for which the set is there, to zero where it stays
	gone     bool      // the model has been unloaded by now
}

// presence is a model that the process has or has had.
type presence struct {
	model *fakes.Model
	stay  fakes.Stay
	gone  bool
	index int // into snapshot.models, where it is not gone
}

// reporters are the label sets of a model, in the order in which Triton makes them.
func (e *Exporter) reporters(p presence) []series {
	o := e.options
	own := series{model: p.model, index: p.index, from: p.stay.From, to: p.stay.To, gone: p.gone, labels: []label{{"model", p.model.Name()}}}
	if o.namespace != "" && o.release.Since(namespaces) {
		own.labels = append(own.labels, label{"namespace", o.namespace})
	}
	own.labels = append(own.labels, label{"version", p.model.Version()})
	instance := own
	if gpu, onGPU := p.model.GPU(); onGPU && gpu < len(e.gpus) && (!p.stay.AtStart || o.release.Before(anonymousAtStart)) {
		instance.labels = slices.Insert(slices.Clone(own.labels), 0, label{"gpu_uuid", e.gpus[gpu].UUID(e.id)})
	}
	own.waiting, instance.counts = true, true
	if o.release.Before(modelReporters) {
		return []series{instance}
	}
	if slices.Equal(own.labels, instance.labels) {
		own.counts = true
		return []series{own}
	}
	return []series{own, instance}
}
