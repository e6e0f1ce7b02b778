using System.Globalization;
using System.Text;
using SharpKeeper.Core.Zab;
using SharpKeeper.Server.Metrics;

namespace SharpKeeper.Server.Admin;

internal sealed partial class FourLetterWords
{
    private string Mntr()
    {
        StringBuilder text = new();
        text.Append("zk_version\t").Append(ServerVersion.Text).Append('\n');
        text.Append("zk_server_state\t").Append(source.Mode).Append('\n');
        if (source.Ensemble is EnsembleStatus ensemble)
            text.Append("zk_peer_state\t").Append(PeerStateOf(ensemble)).Append('\n');
        CopyMetricsTo(new LineSink(text));
        return text.ToString();
    }

    /// <summary>Hands out gauges, counters and summaries, in this order.</summary>
    internal void CopyMetricsTo(IMetricSink sink)
    {
        CopyServerGauges(sink);
        CopyProcessGauges(sink);
        if (source.Ensemble is EnsembleStatus ensemble)
            CopyEnsemble(sink, ensemble);
        foreach (QuotaStatus quota in source.Quotas)
        {
            sink.Add(quota.Namespace + "_quota_count_limit_per_namespace", quota.CountLimit);
            sink.Add(quota.Namespace + "_quota_bytes_limit_per_namespace", quota.BytesLimit);
            sink.Add(quota.Namespace + "_quota_count_usage_per_namespace", quota.CountUsed);
            sink.Add(quota.Namespace + "_quota_bytes_usage_per_namespace", quota.BytesUsed);
        }
        metrics.CopyTo(sink);
    }

    private void CopyServerGauges(IMetricSink sink)
    {
        SummaryValues latency = metrics.RequestLatency.Read();
        sink.Add("avg_latency", latency.Average);
        sink.Add("min_latency", latency.Min);
        sink.Add("max_latency", latency.Max);
        sink.Add("packets_received", metrics.PacketsReceived.Value);
        sink.Add("packets_sent", metrics.PacketsSent.Value);
        sink.Add("num_alive_connections", source.ConnectionCount);
        sink.Add("outstanding_requests", source.OutstandingRequests);
        sink.Add("uptime", (long)source.Uptime.TotalMilliseconds);

        TreeCounts counts = source.Counts;
        sink.Add("znode_count", counts.Znodes);
        sink.Add("watch_count", counts.Watches);
        sink.Add("ephemerals_count", counts.Ephemerals);
        sink.Add("approximate_data_size", counts.ApproximateDataBytes);
        sink.Add("global_sessions", counts.GlobalSessions);
        sink.Add("local_sessions", counts.LocalSessions);

        sink.Add("last_client_response_size", metrics.ResponseSizes.Last);
        sink.Add("min_client_response_size", metrics.ResponseSizes.Min);
        sink.Add("max_client_response_size", metrics.ResponseSizes.Max);
        sink.Add("connection_drop_probability", source.ConnectionDropProbability);
        sink.Add("outstanding_tls_handshake", 0);
        sink.Add("non_mtls_remote_conn_count", 0);
        sink.Add("non_mtls_local_conn_count", 0);
    }

    private static void CopyProcessGauges(IMetricSink sink)
    {
        if (ProcessFiles.Count() is not (long open, long max))
            return;
        sink.Add("open_file_descriptor_count", open);
        sink.Add("max_file_descriptor_count", max);
    }

    private sealed class LineSink(StringBuilder text) : IMetricSink
    {
        public void Add(string name, long value) =>
            text.Append(CultureInfo.InvariantCulture, $"zk_{name}\t{value}\n");

        public void Add(string name, double value) =>
            text.Append("zk_").Append(name).Append('\t').Append(JavaText.Of(value)).Append('\n');
    }
}
