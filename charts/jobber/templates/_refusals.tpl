{{/* Settings that are valid one by one and can't work together. */}}
{{- define "jobber.refuseWhatCannotWork" -}}
{{- $problems := list -}}
{{- $several := or (gt (int .Values.jobs.replicas) 1) .Values.jobs.autoscaling.enabled -}}
{{- if and $several (not (include "jobber.sharesUploads" .)) -}}
{{- $problems = append $problems "jobs.replicas > 1 (or jobs.autoscaling.enabled) needs uploads that all replicas share: set jobs.uploads.url to a bucket, or jobs.uploads.persistence.accessMode to ReadWriteMany (with a storage class that has it)" -}}
{{- end -}}
{{- with .Values.jobs.uploads -}}
{{- if not (or .url .persistence.existingClaim) -}}
{{- $claim := lookup "v1" "PersistentVolumeClaim" $.Release.Namespace (include "jobber.uploadsClaim" $) -}}
{{- if and $claim (ne (join "," $claim.spec.accessModes) .persistence.accessMode) -}}
{{- $problems = append $problems (printf "jobs.uploads.persistence.accessMode is %s, and the volume that is there has %s, which no upgrade can change: name a volume of your own that has it (jobs.uploads.persistence.existingClaim), with the files copied, or set jobs.uploads.url to a bucket" .persistence.accessMode (join "," $claim.spec.accessModes)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (not .Values.postgresql.enabled) (not .Values.externalDatabase.existingSecret) -}}
{{- $problems = append $problems "postgresql.enabled is false: externalDatabase.existingSecret must name a Secret with the keys auth-url, jobs-url and products-url" -}}
{{- end -}}
{{- if and .Values.postgresql.enabled .Values.externalDatabase.existingSecret -}}
{{- $problems = append $problems "externalDatabase.existingSecret is set, and postgresql.enabled is true: choose one of the two databases" -}}
{{- end -}}
{{- if and .Values.pulsar.enabled .Values.externalPulsar.url -}}
{{- $problems = append $problems "externalPulsar.url is set, and pulsar.enabled is true: choose one of the two brokers" -}}
{{- end -}}
{{- with .Values.grpcTls -}}
{{- if and .enabled (eq .source "existing") (not .secretPrefix) -}}
{{- $problems = append $problems "grpcTls.source is existing: grpcTls.secretPrefix must say how your Secrets begin" -}}
{{- end -}}
{{- if and .enabled (lt (int .validityDays) (add (int .renewAfterDays) 30 | int)) -}}
{{- $problems = append $problems "grpcTls.validityDays must be at least 30 more than grpcTls.renewAfterDays" -}}
{{- end -}}
{{- end -}}
{{- with .Values.executor.autoscaling -}}
{{- if and .enabled (not .prometheusAddress) -}}
{{- $problems = append $problems "executor.autoscaling.enabled needs executor.autoscaling.prometheusAddress, such as http://prometheus-operated.monitoring:9090" -}}
{{- end -}}
{{- if and .enabled (not ($.Capabilities.APIVersions.Has "keda.sh/v1alpha1")) -}}
{{- $problems = append $problems "executor.autoscaling.enabled needs KEDA in the cluster (keda.sh/v1alpha1), which is not there" -}}
{{- end -}}
{{- end -}}
{{- range list "auth" "jobs" "executor" "products" -}}
{{- with (get $.Values .).autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- $problems = append $problems "autoscaling.minReplicas must not be greater than autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\n%s\n" (join "\n" $problems)) -}}
{{- end -}}
{{- end -}}
