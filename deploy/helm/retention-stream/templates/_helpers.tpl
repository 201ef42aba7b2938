{{- define "retention.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "retention.selector" -}}
app.kubernetes.io/name: retention-stream
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "retention.labels" -}}
{{ include "retention.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "retention.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "retention.name" .) -}}
{{- end -}}

{{- define "retention.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- /* A setting's value as the worker sees it; the defaults are the program's. */ -}}
{{- define "retention.setting" -}}
{{- $defaults := dict
  "RETENTION_APP_ID" "retention"
  "RETENTION_PARTITIONS" "8"
  "RETENTION_WEB_PORT" "6066"
  "RETENTION_TOPIC_PURCHASES" "purchases"
  "RETENTION_TOPIC_SIGNUPS" "signups"
  "RETENTION_TOPIC_RETURNS" "returns"
  "RETENTION_TOPIC_REROUTED" "retention-rerouted"
  "RETENTION_TOPIC_DEAD_LETTERS" "retention-dead-letters"
  "RETENTION_TOPIC_LIFECYCLE" "retention-lifecycle"
-}}
{{- get .root.Values.settings .name | default (get $defaults .name) -}}
{{- end -}}

{{- /* What cannot work is refused here, where the line is read, and not by a pod that ends. */ -}}
{{- define "retention.check" -}}
{{- $values := .Values -}}
{{- $partitions := include "retention.setting" (dict "root" . "name" "RETENTION_PARTITIONS") | int -}}
{{- $most := ternary $values.autoscaling.maxReplicas $values.replicas $values.autoscaling.enabled | int -}}
{{- $redis := or (get $values.settings "RETENTION_REDIS_URL") (get $values.secretSettings "RETENTION_REDIS_URL") -}}
{{- if gt $most $partitions -}}
{{- fail (printf "%d workers for %d partitions: the rest would have nothing to do" $most $partitions) -}}
{{- end -}}
{{- if and (gt $most 1) (not $redis) -}}
{{- fail "more than one worker needs Redis: set RETENTION_REDIS_URL in settings or secretSettings" -}}
{{- end -}}
{{- range $name, $_ := $values.secretSettings -}}
{{- if hasKey $values.settings $name -}}
{{- fail (printf "%s is in settings and in secretSettings: leave one" $name) -}}
{{- end -}}
{{- end -}}
{{- if and $values.kafkaTopics.enabled (not $values.kafkaTopics.cluster) -}}
{{- fail "kafkaTopics.cluster: name the Strimzi cluster that the topics belong to" -}}
{{- end -}}
{{- end -}}
