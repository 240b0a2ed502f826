package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/panelgate/panelgate/ci/report"
)

// When GitHub Actions is told of a run.
const (
	githubAuto = "auto"
	githubOn   = "on"
	githubOff  = "off"
)

// What GitHub's runner says of the job in the environment.
const (
	runsInActions    = "GITHUB_ACTIONS"
	actionsWorkspace = "GITHUB_WORKSPACE"
	actionsSummary   = "GITHUB_STEP_SUMMARY"
)

// onActions says whether GitHub Actions is told.
func (o *outputFlags) onActions() (bool, error) {
	switch o.github {
	case githubAuto, "": // a command without the flag
		return o.github != "" && os.Getenv(runsInActions) == "true", nil
	case githubOn:
		return true, nil
	case githubOff:
		return false, nil
	}
	return false, fmt.Errorf("--github %q: want auto, on or off", o.github)
}

// disarmed writes text for people. GitHub's runner reads commands in it, and must not
// find any that a file of the stack has put there.
func disarmed(to io.Writer, actions bool, write func(io.Writer) error) error {
	if !actions {
		return write(to)
	}
	var out bytes.Buffer
	if err := write(&out); err != nil {
		return err
	}
	if _, err := to.Write(report.Disarm(out.Bytes())); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// tellActions annotates the lines of the pull request and adds to the job's summary.
func (t *teller) tellActions() error {
	annotated := *t.document
	annotated.Checkout = onWorkspace(annotated.Checkout)
	// Standard error, since standard output may be a document that a program reads.
	return errors.Join(report.Annotations(t.stderr, &annotated), summarize(func(w io.Writer) error { return report.Markdown(w, t.document) }))
}

// onWorkspace sees files from where the runner does.
func onWorkspace(c report.Checkout) report.Checkout {
	if dir := os.Getenv(actionsWorkspace); dir != "" {
		c.Root = resolved(dir)
	}
	return c
}

// summarize appends to the summary of the job, where there is one.
func summarize(write func(io.Writer) error) (err error) {
	name := os.Getenv(actionsSummary)
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write the job's summary: %w", err)
	}
	defer func() {
		if closeErr := f.Close(); closeErr != nil && err == nil {
			err = fmt.Errorf("write the job's summary: %w", closeErr)
		}
	}()
	return write(f)
}

// checkoutOf says where the files of a run lead: seen from the root of the repository
// that the stack is in, or from here where it is in none.
func checkoutOf(stackDir string) (report.Checkout, error) {
	dir, err := os.Getwd()
	if err != nil {
		return report.Checkout{}, fmt.Errorf("find the working directory: %w", err)
	}
	dir = resolved(dir)
	if !filepath.IsAbs(stackDir) {
		stackDir = filepath.Join(dir, stackDir)
	}
	root := repositoryOf(stackDir)
	if root == "" {
		root = dir
	}
	return report.Checkout{Dir: dir, Root: root, Read: readSource}, nil
}

// repositoryOf is the root of the repository that a directory is in, "" where it is in
// none. In a work tree, and in a submodule, .git is a file.
func repositoryOf(dir string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			return ""
		}
		dir = above
	}
}

// resolved is a directory without symbolic links, or as it is where it cannot be followed.
func resolved(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

// readSource reads a file that a report points into. Nothing but a file of a size that
// people write is read: what is broken may be a pipe.
func readSource(name string) ([]byte, error) {
	const most = 64 << 20
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > most:
		return nil, fmt.Errorf("%s is no file of a size that people write", name)
	}
	return os.ReadFile(name)
}
