package compare

import (
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes/exposition"
)

// toldOf says whether the series of a family follow from the machine and from how the exporter was started. Those of others depend on
// what happened to it, as which errors there were, or on parts that nothing on the page tells.
func toldOf(exporter, family string) bool {
	switch exporter {
	case "triton":
		return true
	case "dcgm":
		return !slices.Contains([]string{"DCGM_EXP_XID_ERRORS_COUNT", "DCGM_EXP_CLOCK_EVENTS_COUNT", "DCGM_EXP_GPU_HEALTH_STATUS", "DCGM_EXP_P2P_STATUS"}, family)
	case "vllm":
		return strings.HasPrefix(family, "vllm:") && family != "vllm:cache_config_info" && !strings.HasPrefix(family, "vllm:request_success")
	}
	return false
}

// machine compares which series there are, and their order.
func (x *comparison) machine(recorded, fake *exposition.Family) {
	own, other := x.named(recorded, 0), x.named(fake, 1)
	missing, extra := without(own, other), without(other, own)
	switch {
	case len(missing)+len(extra) > 0:
		if slices.ContainsFunc(x.result.Differences, func(d Difference) bool { return d.Kind == Labels && d.Family == recorded.Name }) {
			return // that says so already
		}
		x.differs(Difference{Kind: Series, Family: recorded.Name, Real: orNone(missing), Fake: orNone(extra)})
	case !x.real.Redacted && !slices.Equal(own, other):
		x.differs(Difference{Kind: SeriesOrder, Family: recorded.Name, Real: some(own), Fake: some(other)})
	}
}

// named are the series of a family with their labels, where those that a machine gives at will, as the address of a GPU on the bus,
// are numbered in the order in which the page first has them.
func (x *comparison) named(f *exposition.Family, which int) []string {
	out := make([]string, len(f.Samples))
	for i, s := range f.Samples {
		var b strings.Builder
		b.WriteString(s.Name + "{")
		for j, l := range s.Labels {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteString(l.Name + "=" + x.valueOf(l, which))
		}
		out[i] = b.String() + "}"
	}
	return out
}

func (x *comparison) valueOf(l exposition.Label, which int) string {
	if x.exporter != "dcgm" || l.Name != "pci_bus_id" && !strings.HasPrefix(l.Name, "DCGM_FI_") && l.Name != "err_msg" {
		return exposition.Quote(l.Value)
	}
	if x.numbers[which] == nil {
		x.numbers[which] = map[exposition.Label]int{}
	}
	n, ok := x.numbers[which][l]
	if !ok {
		for other := range x.numbers[which] {
			if other.Name == l.Name {
				n++
			}
		}
		x.numbers[which][l] = n
	}
	return "#" + strconv.Itoa(n+1)
}

// without are those of a list that another does not have, each as often as it has it more.
func without(list, others []string) []string {
	count := map[string]int{}
	for _, s := range others {
		count[s]++
	}
	var out []string
	for _, s := range list {
		if count[s]--; count[s] < 0 {
			out = append(out, s)
		}
	}
	return out
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "no other series"
	}
	return some(list)
}
