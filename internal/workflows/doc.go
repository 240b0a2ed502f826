// Package workflows tests what other repositories run the gate with, and what gates this
// one: the Action (action.yml), the workflows, the pre-commit hooks and the examples of
// docs/examples. Its tests read these files and run the Action's steps as a runner does.
package workflows
