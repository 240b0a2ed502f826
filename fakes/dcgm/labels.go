package dcgm

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes"
)

// labelPair is a label and its value, which dcgm-exporter writes as it is, without escaping anything.
type labelPair struct{ name, value string }

// labelSet is what stands between the braces of a line: what the entity is, then fields that are labels, then what was found out
// about the entity elsewhere, the latter two in the order of their names.
type labelSet struct {
	fixed      string
	fields     []labelPair
	attributes []labelPair
}

// with are the labels and some more. Of two labels of one name the later one counts.
func (l labelSet) with(fields, attributes []labelPair) labelSet {
	l.fields = merged(l.fields, fields)
	l.attributes = merged(l.attributes, attributes)
	return l
}

func merged(a, b []labelPair) []labelPair {
	all := append(slices.Clone(a), b...)
	slices.SortStableFunc(all, func(a, b labelPair) int { return strings.Compare(a.name, b.name) })
	var out []labelPair
	for _, pair := range all {
		if last := len(out) - 1; last >= 0 && out[last].name == pair.name {
			out[last] = pair
			continue
		}
		out = append(out, pair)
	}
	return out
}

func (l labelSet) String() string {
	var b strings.Builder
	b.WriteString(l.fixed)
	for _, pair := range append(slices.Clone(l.fields), l.attributes...) {
		b.WriteString("," + pair.name + `="` + pair.value + `"`)
	}
	return b.String()
}

// joined writes labels one after the other.
func joined(separator string, pairs []labelPair) string {
	parts := make([]string, len(pairs))
	for i, pair := range pairs {
		parts[i] = pair.name + `="` + pair.value + `"`
	}
	return strings.Join(parts, separator)
}

// driverVersion is the NVIDIA driver of every fake machine.
const driverVersion = "580.105.08"

// pciSlots is how many slots the machine's GPUs are spread over; each takes the next free one after the first.
const pciSlots = 0x40

func (e *layout) pciBus(gpu int) string {
	slot := (int(e.id.Number("pci", pciSlots)) + gpu) % 0x100
	return "00000000:" + strings.ToUpper(strconv.FormatInt(0x100|int64(slot), 16)[1:]) + ":00.0"
}

func (e *layout) modelName(gpu *fakes.GPU) string {
	if e.options.plainModel {
		return strings.Join(strings.Fields(gpu.ModelName()), "-")
	}
	return gpu.ModelName()
}

// gpuLabels are those of every line of a GPU or of an instance of it.
func (e *layout) gpuLabels(u *unit) labelSet {
	d := &e.dialect
	i := u.gpu.Index()
	uuid := "UUID"
	if e.options.oldNamespace {
		uuid = "uuid"
	}
	pairs := []labelPair{{"gpu", strconv.Itoa(i)}, {uuid, u.gpu.UUID(e.id)}}
	if d.pciBus {
		pairs = append(pairs, labelPair{"pci_bus_id", e.pciBus(i)})
	}
	pairs = append(pairs, labelPair{"device", "nvidia" + strconv.Itoa(i)})
	separator := ","
	if d.spaced {
		separator = ", "
	}
	if d.model {
		pairs = append(pairs, labelPair{"modelName", e.modelName(u.gpu)})
	}
	if u.instance != nil {
		pairs = append(pairs, labelPair{"GPU_I_PROFILE", u.instance.Profile}, labelPair{"GPU_I_ID", strconv.Itoa(u.instance.ID)})
	}
	if e.hostname != "" {
		pairs = append(pairs, labelPair{d.hostname, e.hostname})
	}
	fields, attributes := e.podLabels(u)
	return labelSet{fixed: joined(separator, pairs)}.with(e.fieldLabels(u), nil).with(fields, attributes)
}

// podLabels are what Kubernetes says of a GPU.
func (e *layout) podLabels(u *unit) (fields, attributes []labelPair) {
	o, d := e.options, &e.dialect
	pod, ok := u.pod()
	if !o.kubernetes || !ok && !d.emptyPods {
		return nil, nil
	}
	names := [3]string{"pod", "namespace", "container"}
	if o.oldNamespace {
		names = [3]string{"pod_name", "pod_namespace", "container_name"}
	}
	attributes = []labelPair{{names[0], pod.Name}, {names[1], pod.Namespace}, {names[2], pod.Container}}
	if !ok {
		return nil, attributes
	}
	asked := o.podUID && d.podUID != podUIDNever
	switch {
	case asked:
		attributes = append(attributes, labelPair{"pod_uid", pod.UID})
	case d.podUID == podUIDAlways:
		attributes = append(attributes, labelPair{"pod_uid", ""})
	}
	if o.podLabels && d.podLabels {
		for _, l := range pod.Labels {
			if o.allows(l.Name) {
				fields = append(fields, labelPair{unfitForLabel.ReplaceAllString(l.Name, "_"), l.Value})
			}
		}
	}
	return fields, attributes
}

// unfitForLabel is what the name of a label cannot have.
var unfitForLabel = regexp.MustCompile(`[^A-Za-z0-9_]`)

func (o *options) allows(name string) bool {
	return len(o.allowedLabels) == 0 || slices.ContainsFunc(o.allowedLabels, func(r *regexp.Regexp) bool { return r.MatchString(name) })
}

// fieldLabels are the fields that the counters file makes labels of.
func (e *layout) fieldLabels(u *unit) []labelPair {
	var pairs []labelPair
	for _, line := range e.lines {
		if line.kind != label {
			continue
		}
		if text, ok := e.labelText(line.field, u); ok {
			pairs = append(pairs, labelPair{line.name, text})
		}
	}
	return pairs
}

// labelText is the value of a field as a label; u is nil for what is no GPU. Of numbers only those are there that never change.
func (e *layout) labelText(f field, u *unit) (string, bool) {
	if f.format == formatString {
		text, ok := e.texts(u)[f.id]
		return text, ok
	}
	if u == nil {
		return "", false
	}
	value := e.numbers[f.id]
	if value == nil || !slices.Contains(steadyFields(), f.id) {
		return "", false
	}
	return string(f.format.number(nil, value(&gpuState{gpu: u.gpu, count: len(e.world.GPUs())}))), true
}

// steadyFields are the numbers of a GPU that do not change.
func steadyFields() []int {
	return []int{4, 5, 52, 55, 63, 65, 66, 67, 69, 74, 83, 84, 90, 91, 94, 235, 236, 500}
}

// texts are the values of fields that are texts. A machine's CPUs and switches share what is said of it as a whole.
func (e *layout) texts(u *unit) map[int]string {
	texts := map[int]string{1: driverVersion, 2: "13." + driverVersion, 3: "/usr/bin/dcgm-exporter", 1140: "NVIDIA", 1141: "Grace"}
	if u == nil {
		return texts
	}
	i := u.gpu.Index()
	uuid := u.gpu.UUID(e.id)
	texts[50], texts[51], texts[54], texts[68] = u.gpu.ModelName(), "Nvidia", uuid, uuid
	texts[53] = "16" + strconv.FormatUint(1e10+e.id.Number("serial/"+strconv.Itoa(i), 1e10), 10)
	texts[56], texts[80], texts[82], texts[85] = "2.1", "6.16", "G193.0200.00.01", "95.04.29.00.06"
	texts[57] = e.pciBus(i)
	return texts
}
