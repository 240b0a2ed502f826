package stack

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Words are the words of the service's entrypoint and command, the script of a shell
// taken apart.
func (s *Service) Words() []string { return commandWords(slices.Concat(s.Entrypoint, s.Command)) }

// mostMounted bounds what is read of a file that a container is given.
const mostMounted = 1 << 20

// Mounted is the content of the file at a path inside the service's container, where a
// mount brings one; ok is false where none does, where it is no file, and where it lies
// outside of the stack's directory: a stack under test must not be able to read the
// machine that tests it.
func (s *Stack) Mounted(svc *Service, containerPath string) (content string, ok bool, err error) {
	if m := svc.inlineAt(containerPath); m != nil {
		return string(m.Content), true, nil
	}
	host, found := svc.HostPath(containerPath)
	if !found {
		return "", false, nil
	}
	host = resolveExisting(host)
	if info, err := os.Stat(host); err != nil || !info.Mode().IsRegular() || !within(resolveExisting(s.Dir), host) {
		return "", false, nil //nolint:nilerr // a mount that is not there is a problem of the stack, told elsewhere
	}
	f, err := os.Open(host)
	if err != nil {
		return "", false, fmt.Errorf("read what service %q mounts at %s: %w", svc.Name, containerPath, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, mostMounted+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", false, fmt.Errorf("read what service %q mounts at %s: %w", svc.Name, containerPath, err)
	}
	if len(data) > mostMounted {
		return "", false, fmt.Errorf("service %q mounts more than %d bytes at %s", svc.Name, mostMounted, containerPath)
	}
	return string(data), true, nil
}
