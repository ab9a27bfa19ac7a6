package charttest

import (
	"fmt"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// object is one of a release, as written and as read.
type object struct {
	meta.TypeMeta `json:",inline"`
	Metadata      meta.ObjectMeta `json:"metadata"`

	source string // the template
	text   string
	typed  any
}

func (o object) String() string { return o.Kind + "/" + o.Metadata.Name }

// kinds is each kind that the chart makes. What another is not listed here is refused.
var kinds = map[string]func() any{
	"apps/v1 Deployment":                      func() any { return &apps.Deployment{} },
	"autoscaling/v2 HorizontalPodAutoscaler":  func() any { return &autoscaling.HorizontalPodAutoscaler{} },
	"batch/v1 Job":                            func() any { return &batch.Job{} },
	"batch/v1 CronJob":                        func() any { return &batch.CronJob{} },
	"v1 ConfigMap":                            func() any { return &core.ConfigMap{} },
	"v1 Pod":                                  func() any { return &core.Pod{} },
	"v1 Service":                              func() any { return &core.Service{} },
	"v1 ServiceAccount":                       func() any { return &core.ServiceAccount{} },
	"networking.k8s.io/v1 Ingress":            func() any { return &networking.Ingress{} },
	"networking.k8s.io/v1 NetworkPolicy":      func() any { return &networking.NetworkPolicy{} },
	"policy/v1 PodDisruptionBudget":           func() any { return &policy.PodDisruptionBudget{} },
	"gateway.networking.k8s.io/v1 HTTPRoute":  func() any { return &gateway.HTTPRoute{} },
	"monitoring.coreos.com/v1 ServiceMonitor": func() any { return &monitoring.ServiceMonitor{} },
	"monitoring.coreos.com/v1 PrometheusRule": func() any { return &monitoring.PrometheusRule{} },
	"external-secrets.io/v1 ExternalSecret":   func() any { return &externalSecret{} },
	"postgresql.cnpg.io/v1 Cluster":           func() any { return &cluster{} },
	"postgresql.cnpg.io/v1 ScheduledBackup":   func() any { return &scheduledBackup{} },
	"barmancloud.cnpg.io/v1 ObjectStore":      func() any { return &objectStore{} },
}

// read decodes one document strictly.
func read(source, text string) (o object, err error) {
	o.source, o.text = source, text
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		return o, fmt.Errorf("%s: %w", source, err)
	}
	made, ok := kinds[o.APIVersion+" "+o.Kind]
	if !ok {
		return o, fmt.Errorf("%s: a kind that the table does not name: %s %s", source, o.APIVersion, o.Kind)
	}
	o.typed = made()
	if err := yaml.UnmarshalStrict([]byte(text), o.typed); err != nil {
		return o, fmt.Errorf("%s: %s: %w", source, o, err)
	}
	return o, nil
}

// What follows are the fields that the chart uses of kinds whose own modules do not resolve or bring half of Kubernetes
// along: written from their reference documentation. A field that is not here is refused.

type head struct {
	meta.TypeMeta `json:",inline"`
	Metadata      meta.ObjectMeta `json:"metadata"`
}

// externalSecret is of External Secrets (external-secrets.io/latest/api/externalsecret).
type externalSecret struct {
	head `json:",inline"`
	Spec struct {
		RefreshInterval meta.Duration `json:"refreshInterval"`
		SecretStoreRef  struct {
			Name string `json:"name"`
			Kind string `json:"kind"`
		} `json:"secretStoreRef"`
		Target struct {
			Name           string `json:"name"`
			CreationPolicy string `json:"creationPolicy"`
			DeletionPolicy string `json:"deletionPolicy"`
		} `json:"target"`
		Data []struct {
			SecretKey string `json:"secretKey"`
			RemoteRef struct {
				Key      string `json:"key"`
				Property string `json:"property"`
			} `json:"remoteRef"`
		} `json:"data"`
	} `json:"spec"`
}

type secretKey struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// plugin is a part of a cluster that somebody else's program looks after.
type plugin struct {
	Name          string            `json:"name"`
	IsWALArchiver bool              `json:"isWALArchiver"`
	Parameters    map[string]string `json:"parameters"`
}

type volume struct {
	Size         string `json:"size"`
	StorageClass string `json:"storageClass"`
}

// cluster is of CloudNativePG (cloudnative-pg.io/documentation/current/cloudnative-pg.v1).
type cluster struct {
	head `json:",inline"`
	Spec struct {
		Instances             int    `json:"instances"`
		ImageName             string `json:"imageName"`
		PrimaryUpdateStrategy string `json:"primaryUpdateStrategy"`
		PostgreSQL            struct {
			Parameters  map[string]string `json:"parameters"`
			Synchronous *struct {
				Method         string `json:"method"`
				Number         int    `json:"number"`
				DataDurability string `json:"dataDurability"`
			} `json:"synchronous"`
		} `json:"postgresql"`
		Bootstrap struct {
			InitDB *struct {
				Database      string `json:"database"`
				Owner         string `json:"owner"`
				Encoding      string `json:"encoding"`
				DataChecksums bool   `json:"dataChecksums"`
			} `json:"initdb"`
			Recovery *struct {
				Source string `json:"source"`
			} `json:"recovery"`
		} `json:"bootstrap"`
		Managed struct {
			Roles []struct {
				Name           string `json:"name"`
				Ensure         string `json:"ensure"`
				Login          bool   `json:"login"`
				CreateRole     bool   `json:"createrole"`
				Inherit        bool   `json:"inherit"`
				PasswordSecret struct {
					Name string `json:"name"`
				} `json:"passwordSecret"`
			} `json:"roles"`
		} `json:"managed"`
		Storage    volume                    `json:"storage"`
		WALStorage volume                    `json:"walStorage"`
		Resources  core.ResourceRequirements `json:"resources"`
		Affinity   struct {
			EnablePodAntiAffinity bool   `json:"enablePodAntiAffinity"`
			TopologyKey           string `json:"topologyKey"`
			PodAntiAffinityType   string `json:"podAntiAffinityType"`
		} `json:"affinity"`
		Plugins []plugin `json:"plugins"`
		Replica *struct {
			Enabled bool   `json:"enabled"`
			Source  string `json:"source"`
		} `json:"replica"`
		ExternalClusters []struct {
			Name   string `json:"name"`
			Plugin plugin `json:"plugin"`
		} `json:"externalClusters"`
	} `json:"spec"`
}

type scheduledBackup struct {
	head `json:",inline"`
	Spec struct {
		Schedule             string `json:"schedule"`
		Immediate            bool   `json:"immediate"`
		BackupOwnerReference string `json:"backupOwnerReference"`
		Method               string `json:"method"`
		PluginConfiguration  struct {
			Name string `json:"name"`
		} `json:"pluginConfiguration"`
		Cluster struct {
			Name string `json:"name"`
		} `json:"cluster"`
	} `json:"spec"`
}

// objectStore is of the plugin Barman Cloud (cloudnative-pg.io/plugin-barman-cloud/docs/plugin-barman-cloud.v1).
type objectStore struct {
	head `json:",inline"`
	Spec struct {
		RetentionPolicy string `json:"retentionPolicy"`
		Configuration   struct {
			DestinationPath string `json:"destinationPath"`
			EndpointURL     string `json:"endpointURL"`
			S3Credentials   struct {
				AccessKeyID     secretKey `json:"accessKeyId"`
				SecretAccessKey secretKey `json:"secretAccessKey"`
			} `json:"s3Credentials"`
			WAL  compression `json:"wal"`
			Data compression `json:"data"`
		} `json:"configuration"`
	} `json:"spec"`
}

type compression struct {
	Compression string `json:"compression"`
}
