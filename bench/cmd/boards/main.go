// Command boards writes a stack of many dashboards into a directory: see package boards.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/panelgate/panelgate/bench/boards"
)

func main() {
	var o boards.Options
	flag.IntVar(&o.Dashboards, "dashboards", 1000, "how many `dashboards`")
	flag.IntVar(&o.Targets, "targets", 20000, "how many `targets` they have in all")
	flag.Float64Var(&o.Distinct, "distinct", 1, "the `share` of the targets, 0..1, whose query occurs once in the stack")
	flag.Uint64Var(&o.Seed, "seed", 1, "the same `seed` makes the same stack")
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: boards [flags] DIR")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := boards.Write(flag.Arg(0), o); err != nil {
		fmt.Fprintln(os.Stderr, "boards:", err)
		os.Exit(1)
	}
}
