package charttest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/strvals"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// What the guide for operators has them type is run, as far as it goes without a cluster: kubectl makes the secrets, the
// chart is rendered with the values of the guide's install, and what it wants of the secrets is in them.
func TestTheGuidesInstall(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/operators.md")
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]map[string][]byte{}
	for _, line := range regexp.MustCompile(`(?m)^    kubectl create secret .*$`).FindAllString(string(guide), -1) {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", line+" --dry-run=client -o yaml").CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
		var made core.Secret
		if err := yaml.UnmarshalStrict(out, &made); err != nil {
			t.Fatalf("%s makes %s: %v", line, out, err)
		}
		secrets[made.Name] = made.Data
	}
	if len(secrets) != 2 || len(secrets["books-key"]["service.key"]) != 64 {
		t.Fatalf("the guide makes %d secrets", len(secrets))
	}
	install := regexp.MustCompile(`(?m)^    helm install books charts/countinghouse ((?:.*\\\n)*.*)$`).FindStringSubmatch(string(guide))
	if install == nil {
		t.Fatal("the guide installs nothing")
	}
	values, set := map[string]any{}, regexp.MustCompile(`--set '?([^'\s]+)'?`)
	for _, found := range set.FindAllStringSubmatch(install[1], -1) {
		if err := strvals.ParseInto(found[1], values); err != nil {
			t.Fatalf("%s: %v", found[0], err)
		}
	}
	if left := strings.Trim(set.ReplaceAllString(install[1], ""), " \\\n"); left != "" {
		t.Errorf("this test does not know what to do with %q", left)
	}
	all, err := render(t, values, false)
	if err != nil {
		t.Fatal(err)
	}
	wanted := 0
	for _, o := range all {
		d, ok := o.typed.(*apps.Deployment)
		if !ok {
			continue
		}
		for _, c := range d.Spec.Template.Spec.Containers {
			for _, e := range c.Env {
				if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
					continue
				}
				of := e.ValueFrom.SecretKeyRef
				if wanted++; len(secrets[of.Name][of.Key]) == 0 {
					t.Errorf("%s of %s is wanted of no secret that the guide makes: %s, %s", e.Name, d.Name, of.Name, of.Key)
				}
			}
		}
		for _, v := range d.Spec.Template.Spec.Volumes {
			if v.Secret == nil {
				continue
			}
			if wanted++; len(secrets[v.Secret.SecretName]) == 0 {
				t.Errorf("%s wants the secret %s, which the guide does not make", d.Name, v.Secret.SecretName)
			}
		}
	}
	if wanted < 4 { // by two Deployments each
		t.Errorf("%d uses of secrets: this test reads the chart wrongly", wanted)
	}
}
