package stack

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
)

// endOfCommand is where a script has one command end and another begin.
var endOfCommand = regexp.MustCompile(`&&|\|\||[;|\n]`)

// Arguments are the words behind a program's name in the service's entrypoint and command;
// of a script those of the one command that runs it. found is false where none of the
// programs is named.
func (s *Service) Arguments(programs ...string) (args []string, found bool) {
	behind := func(words []string) bool {
		i := slices.IndexFunc(words, func(w string) bool { return slices.Contains(programs, path.Base(w)) })
		if i >= 0 {
			args, found = slices.Clone(words[i+1:]), true
		}
		return i >= 0
	}
	all := slices.Concat(s.Entrypoint, s.Command)
	for i, word := range all {
		if i == 0 || !isScriptOption(all[i-1]) {
			continue
		}
		for _, command := range endOfCommand.Split(word, -1) {
			if behind(shellWords(command)) {
				return args, found
			}
		}
	}
	behind(all)
	return args, found
}

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
