// Package fakes is the world a monitoring stack watches, without the machines: exporters whose GET /metrics is a pure function of a
// scenario and a time.
//
// A Scenario says how much traffic each model gets, how long its stages take, what fails and how busy GPUs and host are. NewWorld
// sets it going at a moment. From then on everything follows in closed form: what Triton, dcgm-exporter and node_exporter print at
// any later time (packages triton, dcgm, node and vllm), and the truth behind the numbers, such as the mean queue time of a model over a
// window (Model, GPU, Host). So history can be laid down in any order and a dashboard's answer can be held against what was so.
//
// Nothing here knows of dashboards or of Prometheus.
package fakes
