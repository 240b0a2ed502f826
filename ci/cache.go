package main

import (
	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/kept"
)

// cacheFlags say where results of earlier runs are kept, and whether.
type cacheFlags struct {
	dir string
	off bool
}

func (f *cacheFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "cache-dir", "", "keep results in this `directory`, and take them from there where nothing that they depend on has changed (default: panelgate in the user's cache directory); embedded only")
	flags.BoolVar(&f.off, "no-cache", false, "ask everything anew, and keep nothing")
}

// cache is where the results of a run are kept, nil for nowhere: reports that draw the
// panels need their answers, and these are not kept.
func (c *checkFlags) cache(p *prepared) *e2e.Cache {
	why := ""
	switch {
	case c.cached.off:
		return nil
	case c.shows() || c.pictures.png != "":
		why = "the panels are to be drawn, which takes their answers"
	}
	dir := c.cached.dir
	if dir == "" && why == "" {
		var err error
		if dir, err = kept.DefaultDir(); err != nil {
			why = err.Error()
		}
	}
	if why != "" {
		if p.opts.Logger != nil {
			p.opts.Logger.Info("the cache is not used", "why", why)
		}
		return nil
	}
	return &e2e.Cache{Dir: dir, FailOn: p.failOn}
}
