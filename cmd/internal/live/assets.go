package live

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

// The page: what a browser loads, as it is; nothing of it is built.
//
//go:embed assets
var assets embed.FS

// asset is a file of the page.
type asset struct {
	kind, tag string
	content   []byte
}

// kinds are the types of the page's files, wherever the system has others.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".ico": "image/x-icon", ".js": "text/javascript; charset=utf-8",
	".json": "application/json", ".png": "image/png", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2",
}

// loadAssets returns the page's files by the paths that they are served at.
func loadAssets() map[string]asset {
	found := map[string]asset{}
	if err := fs.WalkDir(assets, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := assets.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		kind := kinds[path.Ext(name)]
		if kind == "" {
			kind = mime.TypeByExtension(path.Ext(name))
		}
		a := asset{kind: kind, tag: `"` + hex.EncodeToString(sum[:8]) + `"`, content: content}
		if name == "assets/index.html" {
			found["/"] = a
		} else {
			found["/"+name] = a
		}
		return nil
	}); err != nil {
		panic(err) // they are in the program
	}
	return found
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", a.tag)
	w.Header().Set("Cache-Control", "no-cache")
	if matches(r.Header.Get("If-None-Match"), a.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	sendBytes(w, r, a.kind, a.content)
}
