package e2e

import (
	"context"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes/catalogue"
)

// types are the types of metrics as the targets of the stack's own Prometheus print
// them, by one query; nil where it does not tell, as one behind a query front end may
// not. A metric that has several is left out.
func (r *run) types(ctx context.Context, src *sources) map[string]catalogue.Type {
	for _, ds := range r.stack.Datasources {
		if !query.IsPrometheus(ds) || rule.Unreachable(r.stack, ds) != nil || rule.Elsewhere(r.stack, ds) != "" {
			continue
		}
		prom, err := src.of(ds)
		if err != nil || prom == nil {
			continue
		}
		told, err := prom.Metadata(ctx, "", "")
		if err != nil {
			return nil // what is known without it has to do
		}
		return typesOf(told)
	}
	return nil
}

func typesOf(told map[string][]promv1.Metadata) map[string]catalogue.Type {
	out := map[string]catalogue.Type{}
	for name, all := range told {
		for i, one := range all {
			if i > 0 && one.Type != all[0].Type {
				delete(out, name)
				break
			}
			out[name] = catalogue.Type(one.Type)
		}
	}
	return out
}
