{{/* What the restricted Pod Security Standard asks of a pod. */}}
{{- define "jobber.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAsUser | int }}
runAsGroup: {{ .Values.runAsGroup | int }}
fsGroup: {{ .Values.runAsGroup | int }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "jobber.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "jobber.imagePullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The address of one database, .database, as variables. */}}
{{- define "jobber.databaseEnv" -}}
{{- $variable := printf "%s_DATABASE_URL" (upper .database) -}}
{{- if .root.Values.postgresql.enabled -}}
- name: {{ upper .database }}_DATABASE_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.postgresql.existingSecret | default (include "jobber.postgresqlName" .root) }}
      key: {{ .database }}-password
- name: {{ $variable }}
  value: postgresql://{{ .database }}:$({{ upper .database }}_DATABASE_PASSWORD)@{{ include "jobber.postgresqlName" .root }}:5432/{{ .database }}
{{- else -}}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.externalDatabase.existingSecret }}
      key: {{ .database }}-url
{{- end -}}
{{- end -}}

{{- define "jobber.databaseMounts" -}}
{{- if and (not .Values.postgresql.enabled) .Values.externalDatabase.caConfigMap -}}
- name: database-ca
  mountPath: /etc/jobber/database
  readOnly: true
{{- end -}}
{{- end -}}

{{- define "jobber.databaseVolumes" -}}
{{- if and (not .Values.postgresql.enabled) .Values.externalDatabase.caConfigMap -}}
- name: database-ca
  configMap:
    name: {{ .Values.externalDatabase.caConfigMap }}
{{- end -}}
{{- end -}}

{{/* Where the pods of hooks run. */}}
{{- define "jobber.hookPlacement" -}}
{{- with .Values.migrations.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.migrations.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.migrations.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A pod of the migrations: waits for the server, and applies what is missing. .secretName: of the addresses. */}}
{{- define "jobber.migrationPod" -}}
metadata:
  labels: {{- include "jobber.labels" (dict "root" . "component" "migrate") | nindent 4 }}
spec:
  # So that the logs of what failed stay.
  restartPolicy: Never
  serviceAccountName: {{ include "jobber.objectName" (dict "root" . "name" "migrate") }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- include "jobber.imagePullSecrets" . | nindent 2 }}
  {{- include "jobber.hookPlacement" . | nindent 2 }}
  securityContext: {{- include "jobber.podSecurity" . | nindent 4 }}
  containers:
    - name: migrate
      image: {{ include "jobber.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [migrate, all, --wait-seconds, {{ .Values.migrations.deadlineSeconds | int | quote }}]
      env:
        {{- range list "auth" "jobs" "products" }}
        {{- include "jobber.databaseEnv" (dict "root" $ "database" .) | nindent 8 }}
        {{- end }}
      securityContext: {{- include "jobber.containerSecurity" . | nindent 8 }}
      resources: {{- toYaml .Values.migrations.resources | nindent 8 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- include "jobber.databaseMounts" . | nindent 8 }}
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 64Mi }
    {{- include "jobber.databaseVolumes" . | nindent 4 }}
{{- end -}}

{{/* The broker, the same for Jobs and the executors. */}}
{{- define "jobber.brokerEnv" -}}
{{- if .Values.pulsar.enabled -}}
- name: PULSAR_SERVICE_URL
  value: ws://{{ include "jobber.pulsarName" . }}:8080
{{- else if .Values.externalPulsar.url -}}
{{- with .Values.externalPulsar -}}
- name: PULSAR_SERVICE_URL
  value: {{ .url | quote }}
- name: PULSAR_TENANT
  value: {{ .tenant | quote }}
- name: PULSAR_NAMESPACE
  value: {{ .namespace | quote }}
- name: PULSAR_TOPIC_PREFIX
  value: {{ .topicPrefix | quote }}
{{- if .tokenSecret }}
- name: PULSAR_TOKEN_FILE
  value: /etc/jobber/pulsar-token/token
{{- end }}
{{- if .caConfigMap }}
- name: PULSAR_TLS_CA_FILE
  value: /etc/jobber/pulsar-ca/ca.pem
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "jobber.brokerMounts" -}}
{{- if and (not .Values.pulsar.enabled) .Values.externalPulsar.url -}}
{{- with .Values.externalPulsar -}}
{{- if .tokenSecret -}}
- name: pulsar-token
  mountPath: /etc/jobber/pulsar-token
  readOnly: true
{{ end -}}
{{- if .caConfigMap -}}
- name: pulsar-ca
  mountPath: /etc/jobber/pulsar-ca
  readOnly: true
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "jobber.brokerVolumes" -}}
{{- if and (not .Values.pulsar.enabled) .Values.externalPulsar.url -}}
{{- with .Values.externalPulsar -}}
{{- if .tokenSecret -}}
- name: pulsar-token
  secret:
    secretName: {{ .tokenSecret }}
    defaultMode: 0440
{{ end -}}
{{- if .caConfigMap -}}
- name: pulsar-ca
  configMap:
    name: {{ .caConfigMap }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
