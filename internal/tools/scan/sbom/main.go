// Command sbom writes what a program was linked from, as CycloneDX (ECMA-424): read from the program itself, so that it is
// of what is run and not of what was meant.
package main

import (
	"debug/buildinfo"
	"fmt"
	"os"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom PROGRAM FILE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(program, to string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return fmt.Errorf("reading what %s was made of: %w", program, err)
	}
	self := cdx.Component{Type: cdx.ComponentTypeApplication, BOMRef: purl(info.Main.Path, info.Main.Version), Name: info.Main.Path, Version: info.Main.Version}
	parts := []cdx.Component{{Type: cdx.ComponentTypeLibrary, BOMRef: purl("std", info.GoVersion), Name: "std", Version: info.GoVersion, PackageURL: purl("std", info.GoVersion)}}
	needs := []string{parts[0].BOMRef}
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		ref := purl(d.Path, d.Version)
		parts = append(parts, cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: ref, Name: d.Path, Version: d.Version, PackageURL: ref})
		needs = append(needs, ref)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &self}
	bom.Components, bom.Dependencies = &parts, &[]cdx.Dependency{{Ref: self.BOMRef, Dependencies: &needs}}
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := cdx.NewBOMEncoder(file, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	fmt.Printf("%d parts of %s are in %s\n", len(parts), program, to)
	return nil
}

func purl(path, version string) string { return "pkg:golang/" + path + "@" + version }
