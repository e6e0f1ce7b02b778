using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Transactions;

internal sealed partial class TxnPreparer
{
    private static ReadOnlySpan<byte> ConfigPath => "/zookeeper/config"u8;

    /// <summary>
    /// Appends the transaction that makes <paramref name="changed"/> the configuration under the transaction's id as
    /// version, if the session may write /zookeeper/config; else an error transaction. That it is the last check is for
    /// the caller: whether a reconfiguration is possible at all it must have found out before.
    /// </summary>
    /// <returns>Ok, or the error of the transaction.</returns>
    public ErrorCode PrepareReconfig(in TxnContext context, EnsembleConfig changed, TxnBatch batch)
    {
        JuteBuffer output = batch.BeginEntry();
        int start = output.Length;
        output.Append(TxnHeader.Bytes);
        pending.BeginScope();
        ErrorCode error = PrepareConfigNode(context, changed.WithVersion(context.Zxid.Value), batch, output);
        pending.EndScope(keep: error == ErrorCode.Ok);
        FinishOrFail(context, OpCode.Reconfig, error, batch, output, start);
        return error;
    }

    private ErrorCode PrepareConfigNode(
        in TxnContext context, EnsembleConfig config, TxnBatch batch, JuteBuffer output)
    {
        ErrorCode error = FindForChange(context, ConfigPath, Permissions.Write, out ZnodeState state);
        if (error != ErrorCode.Ok)
            return error;
        byte[] text = Encoding.UTF8.GetBytes(config.Format());
        int dataOffset = output.Length + 4 + ConfigPath.Length + 4;
        TxnRecords.WriteSetData(output, ConfigPath, text, false, version: -1);
        state.Stat = state.Stat with { Version = -1, Mzxid = context.Zxid.Value, Mtime = context.TimeMs };
        SetPendingData(ref state, context.Zxid, batch, dataOffset, text.Length);
        // What is below /zookeeper has no part in the digest.
        pending.Put(ConfigPath, state, state.Digest, context.Zxid.Value);
        return ErrorCode.Ok;
    }
}
