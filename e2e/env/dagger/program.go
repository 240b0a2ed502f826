package dagger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/fakes/binary"
)

// Programs are the files of the gate's and the fakes' programs for the engine's
// containers. What is not there yet is built, which may take minutes.
func (s *Session) Programs(ctx context.Context) (gate, fakes string, err error) {
	if fakes, err = program(ctx, s, binary.Fakes); err != nil {
		return "", "", containers.NoFakes(err)
	}
	gate, err = program(ctx, s, binary.Gate)
	return gate, fakes, err
}

// program is the file of one of our programs for the engine's containers. It is kept
// among this user's caches under a name that says what it was built from, so that it is
// built once, and so that the engine has it from run to run.
func program(ctx context.Context, s *Session, which binary.Program) (string, error) {
	if own, ok := binary.Own(which, s.OS, s.Arch); ok {
		return own, nil
	}
	key, err := binary.Key(ctx, which, s.OS, s.Arch)
	if err != nil {
		return "", err
	}
	caches, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for what is built: %w", err)
	}
	dir := filepath.Join(caches, "panelgate")
	file := filepath.Join(dir, which.Name()+"-"+key)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a place for what is built: %w", err)
	}
	building, err := os.MkdirTemp(dir, "build-") // two runs may build the same
	if err != nil {
		return "", fmt.Errorf("make a place for what is built: %w", err)
	}
	built := filepath.Join(building, which.Name())
	err = binary.Build(ctx, which, built, s.OS, s.Arch)
	if err == nil {
		err = os.Rename(built, file)
	}
	return file, errors.Join(err, os.RemoveAll(building))
}
