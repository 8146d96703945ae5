package metrics

import (
	"os"
	"strconv"
	"strings"
	"time"
)

var (
	descCPU     = New(Counter, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
	descStart   = New(Gauge, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.")
	descMaxFDs  = New(Gauge, "process_max_fds", "Maximum number of open file descriptors.")
	descFDs     = New(Gauge, "process_open_fds", "Number of open file descriptors.")
	descVirtual = New(Gauge, "process_virtual_memory_bytes", "Virtual memory size in bytes.")
	descRAM     = New(Gauge, "process_resident_memory_bytes", "Resident memory size in bytes.")
	descIn      = New(Counter, "process_network_receive_bytes_total", "Number of bytes received by the process over the network.")
	descOut     = New(Counter, "process_network_transmit_bytes_total", "Number of bytes sent by the process over the network.")
)

var begun = time.Now()

// Process tells of the process as the system sees it, where the system does.
type Process struct{}

// Collect adds all metrics of the process that are known.
func (Process) Collect(p *Page) {
	p.Value(descStart, float64(begun.UnixMilli())/1000)
	if cpu, ok := cpuTime(); ok {
		p.Value(descCPU, cpu.Seconds())
	}
	if n, ok := maxFiles(); ok {
		p.Value(descMaxFDs, float64(n))
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		p.Value(descFDs, float64(len(files)-1)) // one is that of the directory
	}
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if total, resident, ok := memory(string(b)); ok {
			p.Value(descVirtual, float64(total*os.Getpagesize()))
			p.Value(descRAM, float64(resident*os.Getpagesize()))
		}
	}
	if b, err := os.ReadFile("/proc/self/net/netstat"); err == nil {
		if in, out, ok := octets(string(b)); ok {
			p.Value(descIn, in)
			p.Value(descOut, out)
		}
	}
}

// memory reads proc_pid_statm(5), in pages.
func memory(statm string) (total, resident int, ok bool) {
	f := strings.Fields(statm)
	if len(f) < 2 {
		return 0, 0, false
	}
	total, err1 := strconv.Atoi(f[0])
	resident, err2 := strconv.Atoi(f[1])
	return total, resident, err1 == nil && err2 == nil
}

// octets reads InOctets and OutOctets of the process's network namespace: pairs of lines, names over values.
func octets(netstat string) (in, out float64, ok bool) {
	lines := strings.Split(netstat, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		if len(names) == 0 || names[0] != "IpExt:" || len(values) != len(names) {
			continue
		}
		found := 0
		for j, name := range names {
			v, err := strconv.ParseFloat(values[j], 64)
			switch {
			case err != nil:
			case name == "InOctets":
				in, found = v, found+1
			case name == "OutOctets":
				out, found = v, found+1
			}
		}
		return in, out, found == 2
	}
	return 0, 0, false
}
