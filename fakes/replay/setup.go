package replay

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/recording"
)

// Build plays setup.Recording back. Of its command line it knows --rate NAME=PER_SECOND, as often as need be: how fast each counter of
// that family advances, of a histogram or summary how many observations come a second. The instance says nothing: what was recorded
// is some machine's own.
func Build(w *fakes.World, _ string, setup fakes.Setup) (*Exporter, error) {
	switch {
	case len(setup.Recording) == 0:
		return nil, errors.New("recording: there is none to play back")
	case setup.Version != "":
		return nil, fmt.Errorf("version: a recording is of one release and plays no other; leave %q out", setup.Version)
	}
	rates, err := parseArgs(setup.Args)
	if err != nil {
		return nil, err
	}
	r, err := recording.Read(setup.Recording, recording.Limits{})
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return New(w, r, rates)
}

func parseArgs(args []string) (map[string]float64, error) {
	rates := map[string]float64{}
	for ; len(args) > 0; args = args[1:] {
		text, ok := strings.CutPrefix(args[0], "--rate=")
		if args[0] == "--rate" && len(args) > 1 {
			args = args[1:]
			text, ok = args[0], true
		}
		name, rate, found := strings.Cut(text, "=")
		v, err := strconv.ParseFloat(rate, 64)
		if !ok || !found || name == "" || err != nil || !(v >= 0) || math.IsInf(v, 0) { // NaN is no rate either
			return nil, fmt.Errorf("args: %q: a replay takes --rate NAME=PER_SECOND and nothing else", text)
		}
		rates[name] = v
	}
	return rates, nil
}
