package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// programVariable names a browser that is not found by itself.
const programVariable = "PANELGATE_CHROMIUM"

// ErrNone says that there is no browser, and what to do about it.
var ErrNone = errors.New("pictures are taken by Chromium or Chrome, and there is none on this machine: install one (apt-get install chromium; " +
	"brew install --cask chromium), or name its program with " + programVariable)

// Find is the program of a Chromium or Chrome of this machine: the one that
// PANELGATE_CHROMIUM names, else the first of the usual names.
func Find() (string, error) {
	return find(os.Getenv(programVariable), usualPrograms(runtime.GOOS))
}

func find(named string, usual []string) (string, error) {
	if named != "" {
		program, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("%s names no browser: %w", programVariable, err)
		}
		return program, nil
	}
	for _, name := range usual {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", ErrNone
}

func usualPrograms(system string) []string {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}
	if system == "darwin" {
		names = append(names, "/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
	}
	return names
}
