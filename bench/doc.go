// Command bench measures panelgate beside others. It generates a stack of many dashboards (package boards), has panelgate and its peers go
// over it one after the other, each in processes of its own, and prints one table:
//
//	go run ./bench
//	go run ./bench --dashboards 100 --targets 2000 --distinct 0.25
//	go run ./bench --compare main
//
// The last runs the benchmarks of this package with the command as it was at a revision and as it is, and has benchstat say what differs.
// docs/performance.md says what the figures are.
package main
