{{/*
The generated secrets, as the data of a Secret: what the cluster has is kept, what is missing is made. Made once a
rendering, so that all templates see the same.
*/}}
{{- define "jobber.generatedSecrets" -}}
{{- if not (hasKey .Values "generatedSecrets") -}}
{{- $kept := (lookup "v1" "Secret" .Release.Namespace (include "jobber.secretName" .)).data | default dict -}}
{{- $data := dict -}}
{{- range list "service-secret" "setup-token" "test-password" -}}
{{- $_ := set $data . (get $kept . | default (randAlphaNum 48 | b64enc)) -}}
{{- end -}}
{{- $_ := set .Values "generatedSecrets" $data -}}
{{- end -}}
{{- toYaml .Values.generatedSecrets -}}
{{- end -}}

{{/* Changes when a daemon has to be started again for it. */}}
{{- define "jobber.secretsChecksum" -}}
{{- if .Values.secrets.existingSecret -}}
{{- .Values.secrets.existingSecret | sha256sum -}}
{{- else -}}
{{- get (include "jobber.generatedSecrets" . | fromYaml) "service-secret" | sha256sum -}}
{{- end -}}
{{- end -}}
