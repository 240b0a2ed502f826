package node

import (
	"path"

	"github.com/panelgate/panelgate/fakes/internal/commandline"
)

// program is the name of the binary, which a command line may begin with.
const program = "node_exporter"

// ownArguments are the arguments of a container's command that are node_exporter's own.
func ownArguments(command []string) ([]string, error) {
	args, _, err := commandline.Arguments(command, func(word string) bool { return path.Base(word) == program })
	return args, err
}
