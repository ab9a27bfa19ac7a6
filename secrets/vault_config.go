package secrets

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"
	"github.com/hashicorp/vault/api/auth/kubernetes"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/trace"
)

// ErrSetting says which setting of Vault is wrong: its Field is the setting's name as VaultConfig gives it.
var ErrSetting = fault.New(fault.Invalid, "secrets.setting", "A setting of Vault is wrong.")

// VaultConfig says where Vault is and how the service gets in: by AppRole, or by the Kubernetes account that the
// service runs under.
type VaultConfig struct {
	Address   string // vault-address: https://vault.example:8200. http is for loopback alone
	CAFile    string // vault-ca-file: a PEM file with the authority of its certificate; without one, the machine's
	Namespace string // vault-namespace: of Vault Enterprise or OpenBao; "" for none
	Mount     string // vault-mount: where the Transit engine is; "" means transit

	Auth         string        // vault-auth: "approle" or "kubernetes"
	AuthMount    string        // vault-auth-mount: where that is; "" means as it is called
	RoleID       string        // vault-role-id
	SecretIDFile string        // vault-secret-id-file: read anew at each login, so that the secret may be changed
	Role         string        // vault-role, for kubernetes
	TokenFile    string        // vault-token-file: the account's token; "" means where Kubernetes puts it
	Timeout      time.Duration // vault-timeout: of one try; 0 means 3 s

	Now func() time.Time // the clock; nil is the machine's
}

func (c VaultConfig) withDefaults() VaultConfig {
	if c.Mount = strings.Trim(c.Mount, "/"); c.Mount == "" {
		c.Mount = "transit"
	}
	if c.Timeout == 0 {
		c.Timeout = 3 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func setting(name, format string, args ...any) error {
	return ErrSetting.Sayf(format, args...).At(name)
}

func (c VaultConfig) client() (*api.Client, error) {
	if err := c.checkAddress(); err != nil {
		return nil, err
	}
	if c.Timeout < 0 {
		return nil, setting("vault-timeout", "The time that Vault gets for an answer must be more than nothing.")
	}
	ours := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, setting("vault-ca-file", "The certificate of Vault's authority cannot be read: %v", err)
		}
		ours.RootCAs = x509.NewCertPool()
		if !ours.RootCAs.AppendCertsFromPEM(pem) {
			return nil, setting("vault-ca-file", "There is no certificate in %s. Name a PEM file.", c.CAFile)
		}
	}
	transport := &http.Transport{
		Proxy: nil, TLSClientConfig: ours, DialContext: (&net.Dialer{Timeout: c.Timeout}).DialContext,
		TLSHandshakeTimeout: c.Timeout, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
	}
	client, err := api.NewClient(&api.Config{Address: c.Address, HttpClient: &http.Client{
		Transport: trace.Onward{Next: transport}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	if err != nil {
		return nil, setting("vault-address", "Vault's address cannot be used: %v", err)
	}
	client.ClearToken()
	client.ClearNamespace()
	if c.Namespace != "" {
		client.SetNamespace(c.Namespace)
	}
	return client, nil
}

func (c VaultConfig) checkAddress() error {
	u, err := url.Parse(c.Address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return setting("vault-address", "Vault's address must look like https://vault.example:8200.")
	}
	if u.User != nil {
		return setting("vault-address", "Vault's address must hold no password.")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return setting("vault-address", "Over http anyone on the way reads the secrets: give Vault's https address.")
	}
	return nil
}

func (c VaultConfig) method() (api.AuthMethod, error) {
	switch c.Auth {
	case "approle":
		return c.appRole()
	case "kubernetes":
		return c.kubernetes()
	}
	return nil, setting("vault-auth", "Say how to get into Vault: approle or kubernetes.")
}

func (c VaultConfig) appRole() (api.AuthMethod, error) {
	if c.RoleID == "" {
		return nil, setting("vault-role-id", "Name the id of the role in Vault.")
	}
	if c.SecretIDFile == "" {
		return nil, setting("vault-secret-id-file", "Name the file that holds the secret id of the role.")
	}
	if _, err := os.ReadFile(c.SecretIDFile); err != nil {
		return nil, setting("vault-secret-id-file", "The secret id of the role cannot be read: %v", err)
	}
	var options []approle.LoginOption
	if c.AuthMount != "" {
		options = append(options, approle.WithMountPath(c.AuthMount))
	}
	method, err := approle.NewAppRoleAuth(c.RoleID, &approle.SecretID{FromFile: c.SecretIDFile}, options...)
	if err != nil {
		return nil, setting("vault-role-id", "The role cannot be used: %v", err)
	}
	return method, nil
}

func (c VaultConfig) kubernetes() (api.AuthMethod, error) {
	if c.Role == "" {
		return nil, setting("vault-role", "Name the role in Vault that this Kubernetes account has.")
	}
	var options []kubernetes.LoginOption
	if c.AuthMount != "" {
		options = append(options, kubernetes.WithMountPath(c.AuthMount))
	}
	if c.TokenFile != "" {
		options = append(options, kubernetes.WithServiceAccountTokenPath(c.TokenFile))
	}
	// The token is read here and kept, but Kubernetes replaces it every hour: so this runs again at each login.
	again := func() (api.AuthMethod, error) { return kubernetes.NewKubernetesAuth(c.Role, options...) }
	if _, err := again(); err != nil {
		return nil, setting("vault-token-file", "The token of the Kubernetes account cannot be read: %v", err)
	}
	return fresh(again), nil
}
