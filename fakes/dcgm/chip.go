package dcgm

import (
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes"
)

// chip is what a GPU's product name says of what it can do.
type chip struct {
	words   []string // of the name, which also stand between hyphens
	virtual bool
}

func chipOf(gpu *fakes.GPU) chip {
	return chip{words: strings.FieldsFunc(gpu.ModelName(), func(r rune) bool { return r == ' ' || r == '-' }), virtual: gpu.Virtual()}
}

func (c chip) isOneOf(names ...string) bool {
	return slices.ContainsFunc(c.words, func(word string) bool { return slices.Contains(names, word) })
}

// forGames says whether the GPU is none for data centres, of which DCGM knows less.
func (c chip) forGames() bool { return c.isOneOf("GeForce", "TITAN", "Titan") }

// stackedMemory says whether memory is stacked on the chip, and so has a temperature of its own.
func (c chip) stackedMemory() bool {
	return !c.virtual && c.isOneOf("P100", "V100", "A30", "A100", "A800", "H20", "H100", "H200", "H800", "GH200",
		"B100", "B200", "B300", "GB200", "GB300")
}

// remapsRows says whether broken rows of memory are remapped, as they are since Ampere. GPUs before it retire pages.
func (c chip) remapsRows() bool {
	return !c.forGames() && !c.isOneOf("T4", "V100", "V100S", "P100", "P40", "P4", "K80", "M60", "T400", "Quadro")
}

// profiles says whether activity within the chip can be measured, as it can since Volta.
func (c chip) profiles() bool {
	return !c.virtual && !c.forGames() && !c.isOneOf("P100", "P40", "P4", "K80", "M60")
}
