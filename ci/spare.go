package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// spareInputs refuses reports in the place of what the command is yet to read, or of what
// people keep as code: clearing the place would lose it.
func spareInputs(cmd *cobra.Command, args []string) error {
	read := map[string]os.FileInfo{}
	note := func(name string) {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			read[name] = info
		}
	}
	for _, name := range inputFlags() {
		if flag := cmd.Flags().Lookup(name); flag != nil && flag.Value.String() != "" {
			note(flag.Value.String())
		}
	}
	if cmd.Name() == mergeName {
		for _, name := range reportFiles(args) {
			note(name)
		}
	}
	for _, output := range outputNames() {
		flag := cmd.Flags().Lookup(output)
		if flag == nil || flag.Value.String() == "" {
			continue
		}
		at, err := os.Stat(flag.Value.String())
		if err != nil {
			continue // nothing is there that could be read, too
		}
		for _, name := range slices.Sorted(maps.Keys(read)) {
			if os.SameFile(at, read[name]) {
				return fmt.Errorf("--%s %s: this is %s, which %s reads: write the report to another file", output, flag.Value.String(), name, cmd.Name())
			}
		}
		if kind := keptAsCode(flag.Value.String(), at); kind != "" {
			return fmt.Errorf("--%s %s: this is %s, which the report would replace: write it to another file%s", output, flag.Value.String(), kind, chooses(cmd, kind))
		}
	}
	return nil
}

// inputFlags name files that are read. What is no file, as a built-in scenario, is none.
func inputFlags() []string { return []string{"against", "config", "scenario", "matrix"} }

// What keptAsCode tells apart.
const (
	aDashboard = "a dashboard"
	aYAMLFile  = "a YAML file"
)

// keptAsCode says what a file is that people write and no report is, "" for all others: the
// name of a dashboard is soon given to a flag that says where a report goes.
func keptAsCode(name string, info os.FileInfo) string {
	if !info.Mode().IsRegular() {
		return ""
	}
	if ext := strings.ToLower(filepath.Ext(name)); ext == ".yml" || ext == ".yaml" {
		return aYAMLFile
	}
	f, err := os.Open(name) //nolint:gosec // the user names it
	if err != nil {
		return "" // writing it says more
	}
	defer func() { _ = f.Close() }() // it was only read
	dec := json.NewDecoder(bufio.NewReader(f))
	if begin, err := dec.Token(); err != nil || begin != json.Delim('{') {
		return ""
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil || key == "schema" { // what reports of this program begin with
			return ""
		}
		switch key {
		case "panels", "schemaVersion", "templating", "dashboard", "spec", "elements": // classic ones, resources, and what Grafana's API answers with
			return aDashboard
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return ""
		}
	}
	return ""
}

// chooses names the flag that was meant where a dashboard was given as a report's file.
func chooses(cmd *cobra.Command, kind string) string {
	if kind == aDashboard && cmd.Flags().Lookup("dashboard") != nil {
		return "; --dashboard says which dashboards are checked"
	}
	return ""
}
