// Package templates holds the HTML of every page: one file for each, beside the layouts and parts that they share.
//
// It only carries the files, since a folder can be compiled in by a package of its own folder alone; package page
// reads and fills them.
package templates

import "embed"

// Files holds the pages (*.html), layouts (layout/*.html) and parts (part/*.html).
//
//go:embed *.html layout/*.html part/*.html
var Files embed.FS
