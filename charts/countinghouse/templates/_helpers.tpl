{{- define "countinghouse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "countinghouse.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "countinghouse.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "countinghouse.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "countinghouse.selector" -}}
app.kubernetes.io/name: {{ include "countinghouse.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "countinghouse.labels" -}}
{{ include "countinghouse.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "countinghouse.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "countinghouse.host" -}}
{{- (urlParse (required "origin is needed: the address that people use, such as https://books.example" .Values.origin)).host | splitList ":" | first -}}
{{- end -}}

{{- define "countinghouse.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "countinghouse.fullname" .) -}}
{{- end -}}

{{- define "countinghouse.cluster" -}}
{{ include "countinghouse.fullname" . }}-db
{{- end -}}

{{/* Nobody but the program's own user, nothing written but /tmp, no rights of the kernel. */}}
{{- define "countinghouse.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "countinghouse.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* What a migration needs, and every other process too. */}}
{{- define "countinghouse.databaseEnv" -}}
- name: COUNTINGHOUSE_DATABASE_URL
  valueFrom:
    secretKeyRef:
{{- if .Values.database.existingSecret }}
      name: {{ .Values.database.existingSecret }}
      key: {{ .Values.database.key }}
{{- else if .Values.postgres.enabled }}
      name: {{ include "countinghouse.cluster" . }}-app
      key: uri
{{- else }}
{{- fail "database.existingSecret is needed: the Secret that holds the owner's URL. Or let the chart make a database: postgres.enabled" }}
{{- end }}
- name: COUNTINGHOUSE_KEY_FILE
  value: /etc/countinghouse/key/service.key
{{- end -}}

{{- define "countinghouse.keyVolume" -}}
- name: key
  secret:
    secretName: {{ required "key.existingSecret is needed: the Secret that holds the service's key" .Values.key.existingSecret }}
    defaultMode: 0440
    items: [{key: {{ .Values.key.key | quote }}, path: service.key}]
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end -}}

{{- define "countinghouse.keyMount" -}}
- {name: key, mountPath: /etc/countinghouse/key, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{- define "countinghouse.env" -}}
{{ include "countinghouse.databaseEnv" . }}
- {name: COUNTINGHOUSE_ORIGIN, value: {{ required "origin is needed: the address that people use, such as https://books.example" .Values.origin | quote }}}
- {name: COUNTINGHOUSE_OPERATOR_LISTEN, value: ":9090"}
{{- with .Values.mail }}
- {name: COUNTINGHOUSE_SMTP_HOST, value: {{ required "mail.host is needed: the server that takes our mail" .host | quote }}}
{{- if .port }}
- {name: COUNTINGHOUSE_SMTP_PORT, value: {{ .port | quote }}}
{{- end }}
- {name: COUNTINGHOUSE_SMTP_TLS, value: {{ .tls | quote }}}
- {name: COUNTINGHOUSE_MAIL_FROM, value: {{ required "mail.from is needed: the sender, such as Countinghouse <books@countinghouse.example>" .from | quote }}}
{{- if .user }}
- {name: COUNTINGHOUSE_SMTP_USER, value: {{ .user | quote }}}
- {name: COUNTINGHOUSE_SMTP_PASSWORD_FILE, value: /etc/countinghouse/mail/password}
{{- end }}
{{- end }}
{{- with .Values.keyring }}
- {name: COUNTINGHOUSE_KEYRING, value: {{ .kind | quote }}}
{{- if eq .kind "local" }}
- {name: COUNTINGHOUSE_KEYRING_DIR, value: /var/lib/countinghouse/keys}
{{- else }}
{{- with .vault }}
- {name: COUNTINGHOUSE_VAULT_ADDRESS, value: {{ required "keyring.vault.address is needed, such as https://vault.example:8200" .address | quote }}}
- {name: COUNTINGHOUSE_VAULT_MOUNT, value: {{ .mount | quote }}}
- {name: COUNTINGHOUSE_VAULT_AUTH, value: {{ .auth | quote }}}
{{- if .namespace }}
- {name: COUNTINGHOUSE_VAULT_NAMESPACE, value: {{ .namespace | quote }}}
{{- end }}
{{- if .authMount }}
- {name: COUNTINGHOUSE_VAULT_AUTH_MOUNT, value: {{ .authMount | quote }}}
{{- end }}
{{- if .caExistingConfigMap }}
- {name: COUNTINGHOUSE_VAULT_CA_FILE, value: /etc/countinghouse/vault-ca/ca.crt}
{{- end }}
{{- if eq .auth "kubernetes" }}
- {name: COUNTINGHOUSE_VAULT_ROLE, value: {{ .role | quote }}}
- {name: COUNTINGHOUSE_VAULT_TOKEN_FILE, value: /var/run/secrets/countinghouse/vault/token}
{{- else }}
- {name: COUNTINGHOUSE_VAULT_ROLE_ID, value: {{ required "keyring.vault.roleID is needed with approle" .roleID | quote }}}
- {name: COUNTINGHOUSE_VAULT_SECRET_ID_FILE, value: /etc/countinghouse/vault/secret-id}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.sms }}
{{- if .account }}
- {name: COUNTINGHOUSE_SMS_ACCOUNT, value: {{ .account | quote }}}
- {name: COUNTINGHOUSE_SMS_URL, value: {{ .url | quote }}}
- {name: COUNTINGHOUSE_SMS_FROM, value: {{ required "sms.from is needed: the number that messages come from" .from | quote }}}
- {name: COUNTINGHOUSE_SMS_TOKEN_FILE, value: /etc/countinghouse/sms/token}
- {name: COUNTINGHOUSE_SMS_VOICE, value: {{ .voice | quote }}}
{{- end }}
{{- end }}
{{- with .Values.security }}
{{- if .log }}
- {name: COUNTINGHOUSE_SECURITY_LOG, value: "-"}
{{- end }}
{{- if .mail }}
- {name: COUNTINGHOUSE_SECURITY_MAIL, value: {{ .mail | quote }}}
{{- end }}
{{- if .webhook }}
- {name: COUNTINGHOUSE_SECURITY_WEBHOOK, value: {{ .webhook | quote }}}
- {name: COUNTINGHOUSE_SECURITY_WEBHOOK_INTERNAL, value: {{ .webhookInternal | quote }}}
- {name: COUNTINGHOUSE_SECURITY_WEBHOOK_KEY_FILE, value: /etc/countinghouse/security/webhook.key}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{/* A file of a Secret: name, secret, key, path. */}}
{{- define "countinghouse.secretFile" -}}
- name: {{ .name }}
  secret:
    secretName: {{ required (printf "%s.existingSecret is needed: the Secret that holds it" .of) .secret }}
    defaultMode: 0440
    items: [{key: {{ .key | quote }}, path: {{ .path }}}]
{{- end -}}

{{- define "countinghouse.volumes" -}}
{{ include "countinghouse.keyVolume" . }}
{{- with .Values.mail }}
{{- if .user }}
{{ include "countinghouse.secretFile" (dict "name" "mail" "of" "mail" "secret" .existingSecret "key" .key "path" "password") }}
{{- end }}
{{- end }}
{{- with .Values.keyring }}
{{- if eq .kind "local" }}
- name: keys
  persistentVolumeClaim: {claimName: {{ required "keyring.local.existingClaim is needed: a volume that all pods can write" .local.existingClaim }}}
{{- else }}
{{- with .vault }}
{{- if .caExistingConfigMap }}
- name: vault-ca
  configMap:
    name: {{ .caExistingConfigMap }}
    items: [{key: {{ .caKey | quote }}, path: ca.crt}]
{{- end }}
{{- if eq .auth "kubernetes" }}
- name: vault-token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: {audience: {{ .audience | quote }}, expirationSeconds: 3600, path: token}
{{- else }}
{{ include "countinghouse.secretFile" (dict "name" "vault" "of" "keyring.vault" "secret" .existingSecret "key" .key "path" "secret-id") }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.sms }}
{{- if .account }}
{{ include "countinghouse.secretFile" (dict "name" "sms" "of" "sms" "secret" .existingSecret "key" .key "path" "token") }}
{{- end }}
{{- end }}
{{- with .Values.security }}
{{- if .webhook }}
{{ include "countinghouse.secretFile" (dict "name" "security" "of" "security" "secret" .existingSecret "key" .key "path" "webhook.key") }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "countinghouse.mounts" -}}
{{ include "countinghouse.keyMount" . }}
{{- if .Values.mail.user }}
- {name: mail, mountPath: /etc/countinghouse/mail, readOnly: true}
{{- end }}
{{- with .Values.keyring }}
{{- if eq .kind "local" }}
- {name: keys, mountPath: /var/lib/countinghouse/keys}
{{- else }}
{{- if .vault.caExistingConfigMap }}
- {name: vault-ca, mountPath: /etc/countinghouse/vault-ca, readOnly: true}
{{- end }}
{{- if eq .vault.auth "kubernetes" }}
- {name: vault-token, mountPath: /var/run/secrets/countinghouse/vault, readOnly: true}
{{- else }}
- {name: vault, mountPath: /etc/countinghouse/vault, readOnly: true}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.sms.account }}
- {name: sms, mountPath: /etc/countinghouse/sms, readOnly: true}
{{- end }}
{{- if .Values.security.webhook }}
- {name: security, mountPath: /etc/countinghouse/security, readOnly: true}
{{- end }}
{{- end -}}

{{/* What both kinds of pod have: root, part ("web" or "worker"), its values. */}}
{{- define "countinghouse.pod" -}}
serviceAccountName: {{ include "countinghouse.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "countinghouse.podSecurity" .root | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if .root.Values.topologySpread.enabled }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: {{ .root.Values.topologySpread.zones }}
    labelSelector:
      matchLabels:
        {{- include "countinghouse.selector" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .part }}
    matchLabelKeys: [pod-template-hash]
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: {{ .root.Values.topologySpread.nodes }}
    labelSelector:
      matchLabels:
        {{- include "countinghouse.selector" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .part }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end -}}
