package config

// Operator is what the one who runs the server sees of it.
type Operator struct {
	Admin     string // TCP address of metrics and profiles; empty: none
	LogFormat string // text or json
	LogLevel  string // debug, info, warn or error
}

func operatorSettings(c *Operator) []Setting {
	return []Setting{
		{Name: "admin", Value: "HOST:PORT", Default: "127.0.0.1:8081", Empty: true, set: address(&c.Admin, true),
			Help: "TCP address for /metrics and /debug/pprof; empty for none"},
		{Name: "log-format", Value: "text|json", Default: "text", set: choice(&c.LogFormat, "text", "json"),
			Help: "form of the log on standard error"},
		{Name: "log-level", Value: "LEVEL", Default: "info", set: choice(&c.LogLevel, "debug", "info", "warn", "error"),
			Help: "least level that is logged: debug, info, warn or error"},
	}
}
