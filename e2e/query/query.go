// Package query turns a panel's target into what Grafana would ask Prometheus
// for it: variables and macros replaced, the step worked out, start and end
// aligned. It also finds out what a dashboard's variables hold, with a server to
// ask (Resolve) or without one (StaticScope).
//
// Interpolation has two stages, as in Grafana. The browser replaces variables,
// with the escaping of the datasource (Scope.Interpolate). The back end then
// replaces $__interval, $__rate_interval and $__range, which depend on the step
// (Requests). A variable may hold such a macro, as in a "window" variable with
// the option $__rate_interval, so the order matters.
package query
