// Command licences says under which licences stands what is linked into the project's
// programs, and fails where one of them is copyleft or cannot be told.
//
//	go run ./internal/licences                  what is linked into the command and the fakes
//	go run ./internal/licences -notices FILE    and writes all of their texts, for who hands a binary on
//	go run ./internal/licences -tools           what checks the code, which is run and never linked
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("licences", flag.ContinueOnError)
	tools := flags.Bool("tools", false, "look at what checks the code in place of what is linked")
	notices := flags.String("notices", "", "write the texts of all licences to this `file`")
	dir := flags.String("dir", ".", "the `directory` of go.mod")
	if err := flags.Parse(args); err != nil {
		return err
	}
	list, allowed := []string{"./ci", "./fakes/cmd/fakes"}, linkable()
	if *tools {
		list, allowed = []string{"-modfile=tools/go.mod", "tool"}, runnable()
	}
	packages, err := dependencies(ctx, *dir, list...)
	if err != nil {
		return err
	}
	found, err := read(packages)
	if err != nil {
		return err
	}
	if !*tools {
		assets, err := embedded(*dir)
		if err != nil {
			return err
		}
		found = append(found, assets...)
	}
	if err := print(out, found); err != nil {
		return err
	}
	if *notices != "" {
		if err := write(*notices, found); err != nil {
			return err
		}
	}
	return check(found, allowed)
}

// check joins what is wrong with each of the parts.
func check(found []part, allowed terms) error {
	if len(found) == 0 {
		return errors.New("no dependency was found: nothing was checked")
	}
	var wrong []error
	for _, p := range found {
		wrong = append(wrong, p.problem(allowed))
	}
	return errors.Join(wrong...)
}

func print(out io.Writer, found []part) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range found {
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\n", p.module, p.version, strings.Join(p.ids(), " ")); err != nil {
			return err
		}
	}
	return table.Flush()
}

// write puts the texts of all licences and notices into one file, as most of them ask of
// who hands on a program without its source.
func write(name string, found []part) error {
	var text strings.Builder
	text.WriteString("What is linked into panelgate, and under which terms.\n")
	for _, p := range found {
		for _, l := range p.licences {
			fmt.Fprintf(&text, "\n%s\n%s %s, %s\n\n%s\n", strings.Repeat("=", 80), p.module, p.version, l.name, strings.TrimSpace(l.text))
		}
	}
	return os.WriteFile(name, []byte(text.String()), 0o644)
}
