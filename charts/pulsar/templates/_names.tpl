{{- define "pulsar.fullname" -}}
{{ printf "%s-pulsar" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "pulsar.selector" -}}
app.kubernetes.io/name: pulsar
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: pulsar
{{- end -}}

{{- define "pulsar.labels" -}}
{{ include "pulsar.selector" . }}
app.kubernetes.io/part-of: jobber
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}
