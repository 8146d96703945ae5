package config

// Delivery is how viewers reach the server.
type Delivery struct {
	Listen  string   // TCP address of everything for publishers and viewers
	Origins []string // web origins whose pages may play streams; empty: all
}

func deliverySettings(c *Delivery) []Setting {
	return []Setting{
		{Name: "listen", Value: "HOST:PORT", Default: "127.0.0.1:8080", set: address(&c.Listen, false),
			Help: "TCP address for publishers (WHIP), viewers (HLS), pages and API"},
		{Name: "cors-origin", Value: "ORIGIN", Repeat: true, set: origins(&c.Origins),
			Help: "origin of web pages that may play streams, like https://example.com; may be repeated; without it all may"},
	}
}
