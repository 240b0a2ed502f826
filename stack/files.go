package stack

import (
	"slices"
	"sync"
)

// reads collects the paths of the files that a load reads, also from several goroutines.
type reads struct {
	mu    sync.Mutex
	paths []string
}

func (r *reads) add(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths = append(r.paths, path)
}

// sorted are the paths in their order, each once.
func (r *reads) sorted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.paths)
	return slices.Compact(r.paths)
}
