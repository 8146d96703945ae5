package config

// Access is who may publish, and who may watch.
type Access struct {
	PublishToken Secret // what publishers have to show; empty: none is asked for
	OpenPublish  bool   // without a token, everybody who reaches the server may publish

	WatchKeys []Secret // sign links to watch, the first of them new ones; empty: everybody may watch
}

func accessSettings(c *Access) []Setting {
	return []Setting{
		{Name: "publish-token", Value: "TOKEN", set: secret(&c.PublishToken),
			Help: "Bearer token that publishers must send; better in the variable, where other users do not see it"},
		{Name: "open-publish", Default: "false", set: toggle(&c.OpenPublish),
			Help: "let everybody publish who reaches the server, without a token"},
		{Name: "watch-key", Value: "KEY", Repeat: true, set: keys(&c.WatchKeys),
			Help: "key that links to watch are signed with, at least 32 characters; may be repeated: the first signs, all verify; without it all may watch"},
	}
}
