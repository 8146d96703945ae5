package config

// Delivery is how viewers reach the server.
type Delivery struct {
	Listen string // TCP address of everything for publishers and viewers
}

func deliverySettings(c *Delivery) []Setting {
	return []Setting{
		{Name: "listen", Value: "HOST:PORT", Default: "127.0.0.1:8080", set: address(&c.Listen, false),
			Help: "TCP address for publishers (WHIP), viewers (HLS), pages and API"},
	}
}
