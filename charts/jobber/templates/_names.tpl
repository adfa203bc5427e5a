{{/* Deployments and Services have fixed names, which users' scripts know: one release a namespace. The rest begins with the release's. */}}

{{- define "jobber.objectName" -}}
{{ printf "%s-%s" (.root.Release.Name | trunc 40 | trimSuffix "-") .name }}
{{- end -}}

{{- define "jobber.selector" -}}
app.kubernetes.io/name: jobber
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "jobber.labels" -}}
{{ include "jobber.selector" . }}
app.kubernetes.io/part-of: jobber
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "jobber.image" -}}
{{- with .Values.image -}}
{{ with .registry }}{{ trimSuffix "/" . }}/{{ end }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* Ports by daemon, as docs/configuration.md has them. */}}
{{- define "jobber.ports" -}}
auth: { http: 3000, grpc: 5000 }
jobs: { http: 3001, grpc: 5002 }
executor: { http: 3002 }
products: { http: 3003, grpc: 5001 }
{{- end -}}

{{/* The first Secret that is set: the user's, or the generated one. */}}
{{- define "jobber.secretName" -}}
{{ .Values.secrets.existingSecret | default (include "jobber.objectName" (dict "root" . "name" "secrets")) }}
{{- end -}}

{{- define "jobber.postgresqlName" -}}
{{ printf "%s-postgresql" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "jobber.pulsarName" -}}
{{ printf "%s-pulsar" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "jobber.uploadsClaim" -}}
{{ .Values.jobs.uploads.persistence.existingClaim | default (include "jobber.objectName" (dict "root" . "name" "uploads")) }}
{{- end -}}

{{/* Not empty when several replicas of Jobs see the same uploads. */}}
{{- define "jobber.sharesUploads" -}}
{{- with .Values.jobs.uploads -}}
{{- if or .url (eq .persistence.accessMode "ReadWriteMany") }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/* The port of the external broker: the URL's, or its scheme's. */}}
{{- define "jobber.pulsarPort" -}}
{{- $url := urlParse .Values.externalPulsar.url -}}
{{- $usual := dict "pulsar" "6650" "pulsar+ssl" "6651" "ws" "80" "wss" "443" -}}
{{ regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (get $usual $url.scheme) }}
{{- end -}}

{{/* The port of the bucket's endpoint: its own, or that of its scheme. */}}
{{- define "jobber.bucketPort" -}}
{{- $endpoint := regexReplaceAll "^.*[?&]endpoint=([^&]*).*$" .Values.jobs.uploads.url "${1}" | replace "%3A" ":" | replace "%2F" "/" -}}
{{- if hasPrefix "http" $endpoint -}}
{{ regexFind ":[0-9]+$" (urlParse $endpoint).host | trimPrefix ":" | default (ternary "80" "443" (hasPrefix "http:" $endpoint)) }}
{{- else -}}
443
{{- end -}}
{{- end -}}
