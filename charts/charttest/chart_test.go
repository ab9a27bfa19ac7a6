package charttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	promql "github.com/prometheus/prometheus/promql/parser"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load("../countinghouse")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// least is what an operator must say.
const least = `
origin: https://books.example
database: {existingSecret: books-db}
key: {existingSecret: books-key}
mail: {host: mail.example, from: "Countinghouse <books@books.example>"}
keyring: {vault: {address: "https://vault.example:8200"}}
`

// merge reads values one over the other.
func merge(t *testing.T, texts ...string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, text := range texts {
		var values map[string]any
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		all = chartutil.MergeTables(values, all)
	}
	return all
}

// render gives what a release is made of.
func render(t *testing.T, values map[string]any, upgrade bool) ([]object, error) {
	t.Helper()
	c := load(t)
	full, err := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: "books", Namespace: "money", Revision: 1, IsInstall: !upgrade, IsUpgrade: upgrade}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(c, full)
	if err != nil {
		return nil, err
	}
	var all []object
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for document := range strings.SplitSeq("\n"+files[name], "\n---") {
			if text := strings.TrimSpace(regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(document, "")); text == "" {
				continue
			}
			o, err := read(name, document)
			if err != nil {
				return nil, err
			}
			all = append(all, o)
		}
	}
	return all, nil
}

// cases are releases that operators may want; each is least and what it says.
var cases = map[string]string{
	"the least": ``,
	"approle": `
keyring: {vault: {auth: approle, roleID: abc, existingSecret: books-vault, caExistingConfigMap: vault-ca, namespace: ns, authMount: ours, mount: secret/transit}}`,
	"local keys": `
keyring: {kind: local, local: {existingClaim: books-keys}}`,
	"everything": `
commonLabels: {team: money}
image: {digest: "sha256:` + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" + `", pullSecrets: [registry]}
mail: {user: books, existingSecret: books-mail, port: 587}
sms: {account: AC1, from: "+353860123456", voice: true, existingSecret: books-sms}
security: {mail: ops@books.example, webhook: "https://ops.example/hook", existingSecret: books-hook}
settings: {COUNTINGHOUSE_KEEP_LOGINS: 4320h, COUNTINGHOUSE_VAULT_TIMEOUT: 5s}
trustedProxies: [10.0.0.0/8, "fd00::/8"]
web:
  tls: {existingSecret: books-tls}
  nodeSelector: {pool: web}
  tolerations: [{key: web, operator: Exists}]
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
  podAnnotations: {a: b}
  priorityClassName: high
autoscaling: {enabled: true}
topologySpread: {zones: DoNotSchedule}
serviceAccount: {annotations: {a: b}}
service: {annotations: {a: b}}
httpRoute: {enabled: true, parentRefs: [{name: public, namespace: gateways}], annotations: {a: b}}
ingress: {enabled: true, className: nginx, annotations: {a: b}, tlsSecret: books-tls}
scan: {schedule: "5 3 * * 1", closed: ["db.example:5432", "vault.example:8200"]}
networkPolicy: {webFrom: [{namespaceSelector: {matchLabels: {name: gateways}}}]}
externalSecrets: {enabled: true, store: {name: vault}, secrets: [{name: books-db, data: [{key: url, remoteKey: books/db, property: url}]}, {name: books-key, data: [{key: service.key, remoteKey: books/key}]}]}
monitoring: {serviceMonitor: {enabled: true, labels: {release: p}}, rules: {enabled: true, labels: {release: p}}, dashboard: {enabled: true}}`,
	"a database of its own": `
database: {existingSecret: ""}
postgres: {enabled: true, storage: {storageClass: fast}, walStorage: {storageClass: fast}, resources: {requests: {memory: 2Gi}}, parameters: {shared_buffers: 1GB}, backup: {enabled: true, destinationPath: "s3://backups/books", endpointURL: "https://s3.example", existingSecret: books-s3}}`,
	"a second site": `
database: {existingSecret: ""}
postgres: {enabled: true, instances: 1, replica: {enabled: true, source: books-db, destinationPath: "s3://backups/books", existingSecret: books-s3}}`,
	"nothing optional": `
podDisruptionBudget: {enabled: false}
topologySpread: {enabled: false}
networkPolicy: {enabled: false}
keyring: {vault: {policyConfigMap: false}}
security: {log: false}
scan: {enabled: false}`,
}

// The scan from inside runs in a pod that no policy of the release takes for its own; else it would prove nothing.
func TestTheScanFromInsideIsAStranger(t *testing.T) {
	t.Parallel()
	all, err := render(t, merge(t, least, cases["everything"]), false)
	if err != nil {
		t.Fatal(err)
	}
	stranger := labels.Set{}
	for _, o := range all {
		if c, ok := o.typed.(*batch.CronJob); ok && strings.HasSuffix(o.Metadata.Name, "-scan-inside") {
			stranger = c.Spec.JobTemplate.Spec.Template.Labels
		}
	}
	if len(stranger) == 0 {
		t.Fatal("there is no scan from inside")
	}
	for _, o := range all {
		if p, ok := o.typed.(*networking.NetworkPolicy); ok && selects(&p.Spec.PodSelector, stranger) {
			t.Errorf("%s takes it for the release's own", o)
		}
	}
}

func TestChart(t *testing.T) {
	t.Parallel()
	for name, values := range cases {
		for _, upgrade := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, upgrade %v", name, upgrade), func(t *testing.T) {
				t.Parallel()
				all, err := render(t, merge(t, least, values), upgrade)
				if err != nil {
					t.Fatal(err)
				}
				seen := map[string]bool{}
				for _, o := range all {
					if seen[o.String()] {
						t.Errorf("%s is made twice", o)
					}
					seen[o.String()] = true
					if o.Metadata.Labels["app.kubernetes.io/instance"] != "books" {
						t.Errorf("%s does not say whose it is", o)
					}
					if spec, where := podOf(o); spec != nil {
						checkPod(t, where, *spec)
					}
				}
				checkHooks(t, all)
				checkMeetings(t, all)
			})
		}
	}
}

// podOf is the pod of an object that makes or is one.
func podOf(o object) (*core.PodSpec, string) {
	switch v := o.typed.(type) {
	case *apps.Deployment:
		return &v.Spec.Template.Spec, o.String()
	case *batch.Job:
		return &v.Spec.Template.Spec, o.String()
	case *batch.CronJob:
		return &v.Spec.JobTemplate.Spec.Template.Spec, o.String()
	case *core.Pod:
		return &v.Spec, o.String()
	}
	return nil, ""
}

// environment is what the program takes: the names in its own flags.
func environment(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../../cmd/countinghouse/*.go")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`env:"([A-Z_,]+)"`).FindAllStringSubmatch(string(source), -1) {
			for one := range strings.SplitSeq(found[1], ",") {
				known[one] = true
			}
		}
	}
	if len(known) < 40 {
		t.Fatalf("the program takes %d variables: this test looks in the wrong place", len(known))
	}
	return known
}

// checkPod holds a pod against what is asked of each: it runs as nobody, writes nowhere, and has no token of Kubernetes.
func checkPod(t *testing.T, where string, p core.PodSpec) {
	t.Helper()
	known := environment(t)
	if p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
		t.Errorf("%s gets a token of Kubernetes", where)
	}
	if s := p.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 || s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s may run as root", where)
	}
	if p.HostNetwork || p.HostPID || p.HostIPC {
		t.Errorf("%s sees its host", where)
	}
	volumes := map[string]bool{}
	for _, v := range p.Volumes {
		volumes[v.Name] = false
		if v.HostPath != nil {
			t.Errorf("%s has a volume of its host", where)
		}
	}
	for _, c := range p.Containers {
		s := c.SecurityContext
		if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
			t.Errorf("%s: %s may more than it needs", where, c.Name)
		}
		if c.Resources.Requests.Cpu().IsZero() || c.Resources.Limits.Memory().IsZero() {
			t.Errorf("%s: %s names no resources", where, c.Name)
		}
		names := map[string]bool{}
		for _, e := range c.Env {
			if names[e.Name] {
				t.Errorf("%s: %s is set twice", where, e.Name)
			}
			names[e.Name] = true
			if !known[e.Name] {
				t.Errorf("%s: the program takes no %s", where, e.Name)
			}
			if strings.HasSuffix(e.Name, "_FILE") && !slices.ContainsFunc(c.VolumeMounts, func(m core.VolumeMount) bool { return strings.HasPrefix(e.Value, m.MountPath+"/") }) {
				t.Errorf("%s: %s=%s is in no volume", where, e.Name, e.Value)
			}
		}
		ports := map[string]bool{}
		for _, port := range c.Ports {
			ports[port.Name] = true
		}
		for what, probe := range map[string]*core.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
			if c.Name != "web" && c.Name != "worker" {
				continue
			}
			if probe == nil || probe.HTTPGet == nil || !ports[probe.HTTPGet.Port.StrVal] {
				t.Errorf("%s: %s has no %s probe at a port of its own", where, c.Name, what)
			}
		}
		for _, m := range c.VolumeMounts {
			if _, there := volumes[m.Name]; !there {
				t.Errorf("%s mounts %s, which there is not", where, m.Name)
			}
			volumes[m.Name] = true
			if !m.ReadOnly && m.Name != "tmp" && m.Name != "keys" {
				t.Errorf("%s may write to %s", where, m.Name)
			}
		}
	}
	for name, used := range volumes {
		if !used {
			t.Errorf("%s has volume %s for nothing", where, name)
		}
	}
}

// checkHooks finds a hook that needs what Helm makes only after it.
func checkHooks(t *testing.T, all []object) {
	t.Helper()
	made := map[string]bool{} // by the release itself, after the hooks
	for _, o := range all {
		if o.Metadata.Annotations["helm.sh/hook"] == "" {
			made[o.String()] = true
		}
	}
	for _, o := range all {
		hook := o.Metadata.Annotations["helm.sh/hook"]
		spec, where := podOf(o)
		if spec == nil || hook == "" || hook == "test" {
			continue
		}
		if spec.ServiceAccountName != "" && made["ServiceAccount/"+spec.ServiceAccountName] {
			t.Errorf("%s runs before its ServiceAccount is made", where)
		}
		for _, v := range spec.Volumes {
			if v.ConfigMap != nil && made["ConfigMap/"+v.ConfigMap.Name] {
				t.Errorf("%s runs before ConfigMap %s is made", where, v.ConfigMap.Name)
			}
		}
		if slices.ContainsFunc(all, func(o object) bool { return o.Kind == "Cluster" }) && !strings.Contains(hook, "upgrade") {
			t.Errorf("%s runs before its database is made", where)
		}
	}
}

// checkMeetings finds what is to select pods and selects none, or ports that are not there.
func checkMeetings(t *testing.T, all []object) {
	t.Helper()
	var pods []apps.Deployment
	for _, o := range all {
		if d, ok := o.typed.(*apps.Deployment); ok {
			pods = append(pods, *d)
			if got := o.Metadata.Name; !strings.HasSuffix(got, "-web") && !strings.HasSuffix(got, "-worker") {
				t.Errorf("a deployment of neither: %s", got)
			}
			if !selects(d.Spec.Selector, d.Spec.Template.Labels) {
				t.Errorf("%s does not select its own pods", o)
			}
		}
	}
	if len(pods) != 2 {
		t.Fatalf("%d deployments", len(pods))
	}
	for _, o := range all {
		var selector *meta.LabelSelector
		var ports []string
		switch v := o.typed.(type) {
		case *core.Service:
			selector = &meta.LabelSelector{MatchLabels: v.Spec.Selector}
			for _, p := range v.Spec.Ports {
				ports = append(ports, p.TargetPort.StrVal)
			}
		case *policy.PodDisruptionBudget:
			selector = v.Spec.Selector
		case *networking.NetworkPolicy:
			selector = &v.Spec.PodSelector
		default:
			continue
		}
		chosen := slices.DeleteFunc(slices.Clone(pods), func(d apps.Deployment) bool { return !selects(selector, d.Spec.Template.Labels) })
		if len(chosen) == 0 {
			t.Errorf("%s selects no pods", o)
		}
		for _, d := range chosen {
			for _, port := range ports {
				if !slices.ContainsFunc(d.Spec.Template.Spec.Containers[0].Ports, func(p core.ContainerPort) bool { return p.Name == port }) {
					t.Errorf("%s: %s has no port %q", o, d.Name, port)
				}
			}
		}
	}
}

func selects(s *meta.LabelSelector, of map[string]string) bool {
	selector, err := meta.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(labels.Set(of))
}

// find gives the one object of that kind and name.
func find[T any](t *testing.T, all []object, name string) *T {
	t.Helper()
	for _, o := range all {
		if v, ok := o.typed.(*T); ok && o.Metadata.Name == name {
			return v
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

func TestParts(t *testing.T) {
	t.Parallel()
	all, err := render(t, merge(t, least, cases["everything"]), false)
	if err != nil {
		t.Fatal(err)
	}
	web := find[apps.Deployment](t, all, "books-countinghouse-web")
	if web.Spec.Replicas != nil {
		t.Error("each upgrade undoes what the autoscaler did")
	}
	if g := web.Spec.Template.Spec.TerminationGracePeriodSeconds; g == nil || *g < 40 {
		t.Error("pods are killed while they finish")
	}
	if web.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 {
		t.Error("an upgrade takes pods away before there are new ones")
	}
	deny := find[networking.NetworkPolicy](t, all, "books-countinghouse-deny")
	if len(deny.Spec.PolicyTypes) != 2 || len(deny.Spec.Ingress)+len(deny.Spec.Egress) != 0 {
		t.Errorf("what is not allowed is not denied: %+v", deny.Spec)
	}
	for _, rule := range find[networking.NetworkPolicy](t, all, "books-countinghouse-operator").Spec.Ingress {
		if len(rule.From) == 0 {
			t.Error("everybody may read the figures")
		}
	}
	for _, kind := range []string{"HTTPRoute", "Ingress", "HorizontalPodAutoscaler", "ServiceMonitor", "PrometheusRule", "ExternalSecret", "PodDisruptionBudget"} {
		if !slices.ContainsFunc(all, func(o object) bool { return o.Kind == kind }) {
			t.Errorf("no %s", kind)
		}
	}
	for _, o := range all {
		if o.Kind == "ExternalSecret" && (o.Metadata.Annotations["helm.sh/hook-weight"] != "-10" || o.typed.(*externalSecret).Spec.Target.CreationPolicy != "Orphan") {
			t.Errorf("%s: the migration runs before its Secret, or an upgrade takes the Secret away", o)
		}
	}
	own, err := render(t, merge(t, least, cases["a database of its own"]), false)
	if err != nil {
		t.Fatal(err)
	}
	db := find[cluster](t, own, "books-countinghouse-db")
	if db.Spec.Instances < 3 || db.Spec.PostgreSQL.Synchronous == nil || !db.Spec.Managed.Roles[0].CreateRole || len(db.Spec.Plugins) != 1 || !db.Spec.Plugins[0].IsWALArchiver {
		t.Errorf("%+v", db.Spec)
	}
}

// The policy of the chart is the one that the service is tested under; and its role lets in this service alone.
func TestVault(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../countinghouse/vault/policy.hcl")
	if err != nil {
		t.Fatal(err)
	}
	all, err := render(t, merge(t, least), false)
	if err != nil {
		t.Fatal(err)
	}
	c := find[core.ConfigMap](t, all, "books-countinghouse-vault")
	if strings.TrimSpace(c.Data["policy.hcl"]) != strings.TrimSpace(string(want)) {
		t.Error("the policy is another than the one that the service is tested under")
	}
	var role struct {
		Names      []string `json:"bound_service_account_names"`
		Namespaces []string `json:"bound_service_account_namespaces"`
		Audience   string   `json:"audience"`
	}
	if err := json.Unmarshal([]byte(c.Data["role.json"]), &role); err != nil {
		t.Fatal(err)
	}
	account := find[core.ServiceAccount](t, all, "books-countinghouse")
	if !slices.Equal(role.Names, []string{account.Name}) || !slices.Equal(role.Namespaces, []string{"money"}) || role.Audience != "vault" {
		t.Errorf("%+v", role)
	}
	if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
		t.Error("the account hands out tokens")
	}
	moved, err := render(t, merge(t, least, cases["approle"]), false)
	if err != nil {
		t.Fatal(err)
	}
	if text := find[core.ConfigMap](t, moved, "books-countinghouse-vault").Data["policy.hcl"]; strings.Contains(text, `path "transit/`) || !strings.Contains(text, `path "secret/transit/encrypt/`) {
		t.Error("another mount's policy is of the usual one")
	}
}

// Every figure that an alert or a panel asks for is one that the service gives, and every expression can be read.
func TestFigures(t *testing.T) {
	t.Parallel()
	var given strings.Builder
	for _, name := range []string{"metric.go", "database.go"} {
		source, err := os.ReadFile("../../internal/metric/" + name)
		if err != nil {
			t.Fatal(err)
		}
		given.Write(source)
	}
	all, err := render(t, merge(t, least, cases["everything"]), false)
	if err != nil {
		t.Fatal(err)
	}
	rules := find[monitoring.PrometheusRule](t, all, "books-countinghouse")
	var expressions, recorded []string
	for _, g := range rules.Spec.Groups {
		for _, r := range g.Rules {
			expressions, recorded = append(expressions, r.Expr.String()), append(recorded, r.Record)
			if r.Alert != "" && (r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "") {
				t.Errorf("%s does not say how bad it is and what to do", r.Alert)
			}
		}
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(find[core.ConfigMap](t, all, "books-countinghouse-dashboard").Data["countinghouse.json"]), &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	if len(expressions) < 30 {
		t.Fatalf("%d expressions", len(expressions))
	}
	for _, e := range expressions {
		if _, err := promql.ParseExpr(e); err != nil {
			t.Errorf("%v in %s", err, e)
		}
		for _, name := range regexp.MustCompile(`countinghouse[_:][a-z_:0-9]+`).FindAllString(e, -1) {
			bare := strings.TrimPrefix(name, "countinghouse_")
			for _, end := range []string{"_bucket", "_count", "_sum"} {
				bare = strings.TrimSuffix(bare, end)
			}
			if strings.Contains(name, ":") {
				if !slices.Contains(recorded, name) {
					t.Errorf("%s is not recorded", name)
				}
			} else if !strings.Contains(given.String(), `"`+bare+`"`) && !strings.Contains(given.String(), `"countinghouse_`+bare+`"`) {
				t.Errorf("the service gives no %s", name)
			}
		}
	}
}

// Values that cannot be meant fail, with a word of what is wrong.
func TestRefusedValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ values, says string }{
		"no origin":                   {`origin: null`, "origin"},
		"no such origin":              {`origin: books.example`, "origin"},
		"a misspelled value":          {`web: {replica: 3}`, "replica"},
		"a misspelled top":            {`wep: {replicas: 3}`, "wep"},
		"no database":                 {`database: {existingSecret: ""}`, "database.existingSecret"},
		"no key":                      {`key: {existingSecret: ""}`, "key.existingSecret"},
		"no mail server":              {`mail: {host: ""}`, "mail.host"},
		"no sender":                   {`mail: {from: ""}`, "mail.from"},
		"a mail user and no password": {`mail: {user: books}`, "mail.existingSecret"},
		"a password as value":         {`mail: {password: secret}`, "password"},
		"no Vault":                    {`keyring: {vault: {address: ""}}`, "keyring.vault.address"},
		"Vault in the open":           {`keyring: {vault: {address: "http://vault.example"}}`, "address"},
		"another keyring":             {`keyring: {kind: paper}`, "kind"},
		"local without a volume":      {`keyring: {kind: local}`, "keyring.local.existingClaim"},
		"approle without a role":      {`keyring: {vault: {auth: approle}}`, "keyring.vault.roleID"},
		"approle without its secret":  {`keyring: {vault: {auth: approle, roleID: a}}`, "keyring.vault.existingSecret"},
		"no replicas":                 {`web: {replicas: 0}`, "replicas"},
		"text for a number":           {`web: {replicas: "2"}`, "replicas"},
		"everybody's a proxy":         {`trustedProxies: [0.0.0.0/0]`, "trustedProxies"},
		"a setting not of ours":       {`settings: {LD_PRELOAD: x}`, "LD_PRELOAD"},
		"figures for everybody":       {`networkPolicy: {operatorFrom: []}`, "operatorFrom"},
		"a route to nowhere":          {`httpRoute: {enabled: true}`, "httpRoute.parentRefs"},
		"secrets from nowhere":        {`externalSecrets: {enabled: true}`, "externalSecrets.store.name"},
		"SMS from nobody":             {`sms: {account: AC1, existingSecret: a}`, "sms.from"},
		"a webhook without key":       {`security: {webhook: "https://ops.example"}`, "security.existingSecret"},
		"a broken digest":             {`image: {digest: "sha256:abc"}`, "digest"},
		"a backup to nowhere":         {`{database: {existingSecret: ""}, postgres: {enabled: true, backup: {enabled: true, existingSecret: a}}}`, "postgres.backup.destinationPath"},
		"a backup without key":        {`{database: {existingSecret: ""}, postgres: {enabled: true, backup: {enabled: true, destinationPath: "s3://a/b"}}}`, "postgres.backup.existingSecret"},
		"a replica of nothing":        {`{database: {existingSecret: ""}, postgres: {enabled: true, replica: {enabled: true, destinationPath: "s3://a/b", existingSecret: a}}}`, "postgres.replica.source"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := render(t, merge(t, least, c.values), false)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want a word of %s", err, c.says)
			}
		})
	}
}

// A misspelled field fails the test of the chart: else that test would prove nothing.
func TestStrictness(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"a field of Kubernetes":     "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: []}",
		"a field of CloudNativePG":  "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: a}\nspec: {instance: 3}",
		"a field of Prometheus":     "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: a}\nspec: {endpoint: []}",
		"a field of a route":        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec: {hostname: a}",
		"a field of ExternalSecret": "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: a}\nspec: {store: a}",
		"another kind":              "apiVersion: v1\nkind: Secret\nmetadata: {name: a}",
	} {
		if _, err := read("test", text); err == nil {
			t.Errorf("%s: it passes", what)
		}
	}
}

// Each value is told in values.yaml, and each of values.yaml is in the schema: the schema refuses what it does not know.
func TestValuesAreDocumented(t *testing.T) {
	t.Parallel()
	c := load(t)
	var schema map[string]any
	if err := json.Unmarshal(c.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, schema map[string]any, values any)
	walk = func(path string, schema map[string]any, values any) {
		properties, ok := schema["properties"].(map[string]any)
		held, isTable := values.(map[string]any)
		if !ok || !isTable {
			return
		}
		for name, of := range properties {
			if path == "" && name == "global" { // Helm's own
				continue
			}
			value, there := held[name]
			if !there && !strings.HasSuffix(path, "resources.") {
				t.Errorf("%s%s is not in values.yaml", path, name)
				continue
			}
			walk(path+name+".", of.(map[string]any), value)
		}
	}
	walk("", schema, c.Values)
}
