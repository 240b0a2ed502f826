// Package processgroup makes a command the head of a group of processes of its own, so
// that it can be ended with all that it has started: a compiler of the go command, the
// renderers of a browser, whatever runs in what stands for a container. A ctrl-C at the
// terminal then reaches this process alone, which tells the group. It stands among the
// fakes since their command, which uses it, is built and named of this directory alone.
package processgroup
