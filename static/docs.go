package static

import (
	"bytes"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5"
)

//go:generate go test -count=1 -run ^TestDocsAreRendered$ . -update

// Topic is one subject of the documentation: a page below /docs, and a text for `whipsaw help NAME`. Both come from one
// file, docs/NAME.md.
type Topic struct {
	Name  string // one lower-case word
	Group string // under which lists show it
	Title string // plain text
	Lead  string // one or two sentences that say what is in it, plain text
	Text  string // Markdown, without the title and the lead
}

// groups is the order of all topics in lists.
var groups = []struct {
	name   string
	topics []string
}{
	{"Begin", []string{"start"}},
	{"Publish", []string{"obs", "ffmpeg", "gstreamer", "browsers", "python", "nat"}},
	{"Watch", []string{"watching", "safari", "latency", "cdn"}},
	{"Run", []string{"troubleshooting", "operating", "access", "tls", "security"}},
	{"Look up", []string{"settings", "api", "metrics", "check", "bench"}},
}

// Topics are all there are, in the order of lists. The caller must not change them.
var Topics = sync.OnceValue(func() []Topic {
	texts := read("docs")
	var all []Topic
	for _, g := range groups {
		for _, name := range g.topics {
			all = append(all, newTopic(name, g.name, string(texts["docs/"+name+".md"])))
		}
	}
	return all
})

// newTopic takes a file apart: its title, a paragraph that is the lead, and the rest.
func newTopic(name, group, text string) Topic {
	title, text, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
	lead, text, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n\n")
	return Topic{Name: name, Group: group, Title: title, Lead: strings.Join(strings.Fields(lead), " "), Text: strings.TrimLeft(text, "\n")}
}

// source is the file that a topic was made of, but for line breaks in its lead.
func (t Topic) source() []byte { return []byte("# " + t.Title + "\n\n" + t.Lead + "\n\n" + t.Text) }

// docRoutes mounts /docs, and below it each topic as a page and as NAME.md.
func (s *site) docRoutes(route func(pattern string, h http.HandlerFunc), prefix string) {
	list := s.page("docs", ownPolicy)
	pages, sources := map[string]http.HandlerFunc{}, map[string]*file{}
	for _, t := range Topics() {
		pages[t.Name] = s.page("docs/"+t.Name, ownPolicy)
		sources[t.Name+".md"] = newFile(t.Name+".md", t.source())
	}
	route("/docs", list)
	route("/docs/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, prefix+"/docs", http.StatusPermanentRedirect)
	})
	route("/docs/{topic}", func(w http.ResponseWriter, r *http.Request) {
		name := chi.URLParam(r, "topic")
		switch page, source := pages[name], sources[name]; {
		case page != nil:
			page(w, r)
		case source != nil:
			assetPolicy.set(w.Header())
			w.Header().Set("Cache-Control", "no-cache")
			source.serve(w, r)
		default:
			s.notFound(w, r)
		}
	})
}

// docPages are the pages of the documentation, by name: docs, and docs/TOPIC. layout is the page around each of them.
func docPages(layout []byte) map[string][]byte {
	rendered, out := read("docs"), map[string][]byte{}
	out["docs"] = fill(layout, "Documentation", "How to publish, watch and run whipsaw. The same texts are in the terminal: whipsaw help TOPIC.", docNav(nil, nil), docList(rendered))
	for _, t := range Topics() {
		body := rendered["docs/"+t.Name+".html"]
		out["docs/"+t.Name] = fill(layout, t.Title, t.Lead, docNav(&t, sections(body)), body)
	}
	return out
}

// fill puts a page into the layout; the title and the lead are plain text.
func fill(layout []byte, title, lead, nav string, body []byte) []byte {
	page := string(layout)
	for _, part := range [][2]string{{"<!--title-->", html.EscapeString(title)}, {"<!--lead-->", html.EscapeString(lead)}, {"<!--nav-->", nav}} {
		page = strings.ReplaceAll(page, part[0], part[1])
	}
	return bytes.Replace([]byte(page), []byte("<!--body-->"), body, 1)
}

// section is one heading of a page; its title is HTML.
type section struct{ id, title string }

var heading = regexp.MustCompile(`<h2 id="([^"]*)">(.*?)<a `)

func sections(body []byte) []section {
	var list []section
	for _, m := range heading.FindAllSubmatch(body, -1) {
		list = append(list, section{string(m[1]), string(m[2])})
	}
	return list
}

// docNav lists the topics, and the sections of the one that is shown.
func docNav(shown *Topic, of []section) string {
	var b strings.Builder
	eachGroup(func(name string, topics []Topic) {
		b.WriteString("<h2>" + html.EscapeString(name) + "</h2>\n<ul>\n")
		for _, t := range topics {
			if shown == nil || t.Name != shown.Name {
				b.WriteString(`<li><a href="/docs/` + t.Name + `">` + html.EscapeString(t.Title) + "</a></li>\n")
				continue
			}
			b.WriteString(`<li><a href="/docs/` + t.Name + `" aria-current="page">` + html.EscapeString(t.Title) + "</a>\n<ul>\n")
			for _, s := range of {
				b.WriteString(`<li><a href="#` + s.id + `">` + s.title + "</a></li>\n")
			}
			b.WriteString("</ul></li>\n")
		}
		b.WriteString("</ul>\n")
	})
	return b.String()
}

// docList is the body of /docs: every topic with what is in it.
func docList(rendered map[string][]byte) []byte {
	var b strings.Builder
	b.WriteString(`<label class="field find" hidden id="find"><span>Search</span><input type="search" id="query" autocomplete="off" spellcheck="false" placeholder="keyframe, 403, iPhone, nginx"></label>` + "\n" +
		`<p class="muted" id="found" role="status"></p>` + "\n")
	eachGroup(func(name string, topics []Topic) {
		b.WriteString(`<section class="topics"><h2>` + html.EscapeString(name) + "</h2>\n<ul>\n")
		for _, t := range topics {
			b.WriteString(`<li data-topic="` + t.Name + `"><a href="/docs/` + t.Name + `">` + html.EscapeString(t.Title) + "</a><p>" + html.EscapeString(t.Lead) + `</p><ul class="hits"></ul></li>` + "\n")
		}
		b.WriteString("</ul></section>\n")
	})
	return []byte(b.String())
}

// eachGroup calls f with each group's topics.
func eachGroup(f func(name string, topics []Topic)) {
	for _, g := range groups {
		f(g.name, slices.DeleteFunc(slices.Clone(Topics()), func(t Topic) bool { return t.Group != g.name }))
	}
}

// addDocs makes the pages of the documentation out of their layout, which is no page of its own.
func addDocs(pages map[string][]byte) {
	const layout = "pages/docs.html"
	made := docPages(pages[layout])
	delete(pages, layout)
	maps.Copy(pages, made)
}
