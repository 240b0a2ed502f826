package vllm

import (
	"path"
	"strings"

	"github.com/panelgate/panelgate/fakes/internal/commandline"
)

// module is how the names of the server's programs begin that Python runs.
const module = "vllm.entrypoints."

// commandLine is what stands behind the program in a container's command: vllm serve, a Python module, or nothing where the image says
// which.
func commandLine(command []string) ([]string, error) {
	args, _, err := commandline.Arguments(command, isProgram)
	if len(args) > 0 && args[0] == "serve" {
		args = args[1:]
	}
	return args, err
}

// isProgram says whether a word names one of the server's programs.
func isProgram(word string) bool { return path.Base(word) == "vllm" || strings.HasPrefix(word, module) }
