package beside

import (
	"fmt"
	"os"
	"strings"
)

const (
	hostsBegin = "# told by the gate\n"
	hostsEnd   = "# end of what the gate told\n"
	// maxHosts is far above any hosts file.
	maxHosts = 1 << 20
)

// writeHosts puts lines into a hosts file, in place of those that it put there before. It writes to the file that is there, which is
// a mount of its own in a container.
func writeHosts(file, lines string) error {
	old, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("read the hosts file: %w", err)
	}
	kept, told, _ := strings.Cut(string(old), hostsBegin)
	_, after, _ := strings.Cut(told, hostsEnd) // whoever else writes may have added to the end
	if kept != "" && !strings.HasSuffix(kept, "\n") {
		kept += "\n"
	}
	if lines != "" && !strings.HasSuffix(lines, "\n") {
		lines += "\n"
	}
	if err := os.WriteFile(file, []byte(kept+hostsBegin+lines+hostsEnd+after), 0o644); err != nil { //nolint:gosec // everybody looks up names
		return fmt.Errorf("write the hosts file: %w", err)
	}
	return nil
}
