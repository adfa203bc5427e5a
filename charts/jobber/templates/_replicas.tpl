{{/*
How many replicas the Deployment `name` asks for; empty: not for this chart to say. Without autoscaling that is the value.
With it, what the cluster has: a number that Helm had said and says no more is taken away, and one pod is left until the
autoscaler has looked. Nobody else's number is touched once Helm applies on the server's side and the autoscaler has changed
it: to say it again would be a conflict whenever it changes during an upgrade. (Helm that merges on its own side has to
repeat the number for ever.)
*/}}
{{- define "jobber.replicas" -}}
{{- if not .values.autoscaling.enabled -}}
{{- .values.replicas | int -}}
{{- else -}}
{{- with lookup "apps/v1" "Deployment" .root.Release.Namespace .name -}}
{{- $applied := false -}}
{{- $changed := false -}}
{{- range .metadata.managedFields -}}
{{- if eq .operation "Apply" -}}
{{- $applied = true -}}
{{- else if hasKey (dig "fieldsV1" "f:spec" dict .) "f:replicas" -}}
{{- $changed = true -}}
{{- end -}}
{{- end -}}
{{- if not (and $applied $changed) -}}
{{- .spec.replicas | int -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
